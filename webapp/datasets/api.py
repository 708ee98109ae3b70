"""Samples and exports over HTTP."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.db.models import Prefetch
from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from processing.wire.limits import MAX_NAME
from webapp.accounts.models import Role
from webapp.accounts.queries import chosen_organization
from webapp.accounts.requests import actor_of
from webapp.accounts.tenancy import OwnedQuerySet
from webapp.accounts.viewsets import OwnedViewSet
from webapp.common.clock import now
from webapp.common.filters import Allowed
from webapp.common.pagination import NewestCaptureFirst
from webapp.common.problems import ApiProblem
from webapp.datasets.actions import (
    DEFAULT_FORMAT,
    EXPORT_SET,
    FORMATS,
    IMPORT_SET,
    TooManyExports,
    request_export,
)
from webapp.datasets.incoming import TooManyImports, announce_import
from webapp.datasets.models import Annotation, Sample
from webapp.datasets.queries import is_export_open_to, truths_open_to
from webapp.datasets.uploads import MAX_BYTES, upload_path
from webapp.fleet.models import Camera
from webapp.jobs.api import JobSerializer
from webapp.jobs.models import Job
from webapp.media.models import Blob
from webapp.media.serving import blob_response
from webapp.results.api import BoxSerializer, unpacked

MAX_CAMERAS_OF_EXPORT = 1000


class TruthBoxSerializer(serializers.Serializer[object]):
    """A box that a person left in a picture."""

    xyxy = serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4)
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name


class AnnotationSerializer(serializers.ModelSerializer[Annotation]):
    """What a person said is in a picture."""

    author = serializers.CharField(source="author.username", default=None)
    boxes = TruthBoxSerializer(many=True)

    class Meta:
        model = Annotation
        fields = ("id", "author", "created_at", "boxes", "classes")


class SampleSerializer(serializers.ModelSerializer[Sample]):
    predictions = serializers.SerializerMethodField()
    annotation = serializers.SerializerMethodField(
        help_text="The newest; null before a verdict, and of a known answer but for admins."
    )
    picture = serializers.SerializerMethodField(help_text="Null until it has been checked.")
    thumbnail = serializers.SerializerMethodField()

    class Meta:
        model = Sample
        fields = (
            "id",
            "camera",
            "agent",
            "bundle",
            "file_name",
            "captured_at",
            "received_at",
            "reason",
            "note",
            "event",
            "score",
            "width",
            "height",
            "state",
            "passed_over",
            "picture",
            "thumbnail",
            "predictions",
            "annotation",
        )

    @extend_schema_field(BoxSerializer(many=True))
    def get_predictions(self, sample: Sample) -> list[dict[str, object]]:
        return unpacked(bytes(sample.predictions), sample.bundle) if sample.bundle else []

    @extend_schema_field(AnnotationSerializer(allow_null=True))
    def get_annotation(self, sample: Sample) -> dict[str, Any] | None:
        truths = sample.annotations.all()  # those that are open to who asks
        return AnnotationSerializer(truths[0]).data if truths else None

    def get_picture(self, sample: Sample) -> str | None:
        return reverse("picture", args=[sample.id]) if sample.state == "ready" else None

    def get_thumbnail(self, sample: Sample) -> str | None:
        is_there = sample.state == "ready" and sample.thumbnail_id is not None
        return reverse("thumbnail", args=[sample.id]) if is_there else None


class SampleViewSet(OwnedViewSet[Sample]):
    """Frames kept for learning, with what the bundle and people said of them."""

    queryset = Sample.objects.prefetch_related("bundle")
    serializer_class = SampleSerializer
    pagination_class = NewestCaptureFirst
    filters: ClassVar = {
        "camera": Allowed.id_of("camera", "camera"),
        "state": Allowed.one_of("state", Sample.State.choices),
        "reason": Allowed.one_of("reason", Sample.Reason.choices),
        "from": Allowed.since("captured_at"),
        "to": Allowed.until("captured_at"),
    }

    def get_queryset(self) -> OwnedQuerySet[Sample]:
        samples = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return samples
        truths = truths_open_to(actor_of(self.request)).select_related("author")
        return samples.prefetch_related(Prefetch("annotations", truths))


class ExportRequestSerializer(serializers.Serializer[Any]):
    """What to export."""

    organization = serializers.UUIDField(
        required=False, help_text="Needed by who is in several organizations."
    )
    cameras = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=MAX_CAMERAS_OF_EXPORT,
        help_text="Only samples of these; empty for all.",
    )
    format = serializers.ChoiceField(
        choices=list(FORMATS.items()),
        default=DEFAULT_FORMAT,
        help_text="COCO is one JSON file; the others are zip archives with the pictures.",
    )


class ExportSerializer(JobSerializer):
    """An export and how far it is."""

    file = serializers.SerializerMethodField(help_text="Where it is, once it is done.")
    n_images = serializers.IntegerField(source="result.n_images", default=None, read_only=True)
    n_boxes = serializers.IntegerField(source="result.n_boxes", default=None, read_only=True)
    notes = serializers.ListField(
        source="result.notes",
        child=serializers.CharField(),
        default=None,
        read_only=True,
        help_text="What the format cannot hold.",
    )

    class Meta:
        model = Job
        fields = (*JobSerializer.Meta.fields, "n_images", "n_boxes", "notes", "file")
        read_only_fields = fields

    def get_file(self, job: Job) -> str | None:
        return reverse("export-file", args=[job.id]) if job.state == Job.State.DONE else None


class ExportViewSet(OwnedViewSet[Job]):
    """What people said of samples, in the formats of everybody else's tools.

    Known answers are in what an admin exports, which other labelers then do not see.
    """

    queryset = Job.objects.filter(kind=EXPORT_SET).select_related("created_by")
    serializer_class = ExportSerializer
    needed = Role.LABELER
    needed_to_write = Role.LABELER

    def get_queryset(self) -> OwnedQuerySet[Job]:
        exports = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return exports
        return exports.filter(is_export_open_to(actor_of(self.request)))

    @extend_schema(
        request=ExportRequestSerializer,
        responses={HTTPStatus.ACCEPTED: ExportSerializer},
        examples=[OpenApiExample("All samples", value={}, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        """Start an export; its address says how far it is."""
        wanted = ExportRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        actor = actor_of(request)
        organization = chosen_organization(
            actor, Role.LABELER, organization_id=wanted.validated_data.get("organization")
        )
        camera_ids = wanted.validated_data.get("cameras", [])
        known = Camera.objects.filter(organization=organization, pk__in=camera_ids)
        if known.count() != len(set(camera_ids)):
            raise serializers.ValidationError({"cameras": ["Some of these cameras are not there."]})
        try:
            job = request_export(
                organization=organization,
                camera_ids=camera_ids,
                by=actor,
                at=now(),
                format=wanted.validated_data["format"],
            )
        except TooManyExports as error:
            words = "Some exports are not done yet: wait for them, or cancel them."
            raise ApiProblem(HTTPStatus.CONFLICT, "too-many-exports", words) from error
        location = reverse("export-detail", args=[job.id])
        answer = self.get_serializer(job).data
        return Response(answer, HTTPStatus.ACCEPTED, headers={"Location": location})

    @extend_schema(
        operation_id="exports_download",
        responses={
            (HTTPStatus.OK, "application/json"): OpenApiTypes.OBJECT,
            (HTTPStatus.OK, "application/zip"): OpenApiTypes.BINARY,
        },
    )
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: str) -> HttpResponseBase:  # noqa: ARG002 - the signature is DRF's
        """Download the file."""
        job = self.get_object()
        blob = Blob.objects.filter(
            organization=job.organization_id, pk=job.result.get("blob")
        ).first()
        if job.state != Job.State.DONE or blob is None:
            raise NotFound("The export is not done.")
        format_ = job.arguments.get("format", DEFAULT_FORMAT)
        suffix = "json" if blob.content_type == "application/json" else "zip"
        name = f"farwatch-{job.created_at:%Y-%m-%d-%H%M}.{format_}.{suffix}"
        return blob_response(request._request, blob, name=name)  # noqa: SLF001 - DRF's wrapper has no other door


class ImportRequestSerializer(serializers.Serializer[Any]):
    """What somebody wants to send."""

    organization = serializers.UUIDField(
        required=False, help_text="Needed by who is in several organizations."
    )
    name = serializers.CharField(
        max_length=MAX_NAME, help_text="Of the file: a .zip of a set, a .jpg or a .png."
    )


class ImportAddressSerializer(serializers.Serializer[Any]):
    """Where to send it."""

    id = serializers.UUIDField(help_text="Of the import, which waits for its file.")
    upload = serializers.CharField(
        help_text="POST the file there, as it is, beginning within an hour."
    )
    most_bytes = serializers.IntegerField()


class ImportSerializer(JobSerializer):
    """An import, how far it is, and what came of it."""

    format = serializers.CharField(source="result.format", default=None, read_only=True)
    n_images = serializers.IntegerField(source="result.n_images", default=None, read_only=True)
    n_labelled = serializers.IntegerField(
        source="result.n_labelled", default=None, read_only=True, help_text="With their boxes."
    )
    n_known = serializers.IntegerField(
        source="result.n_known", default=None, read_only=True, help_text="Imported before."
    )
    n_boxes = serializers.IntegerField(source="result.n_boxes", default=None, read_only=True)
    n_left_out = serializers.IntegerField(source="result.n_left_out", default=None, read_only=True)
    notes = serializers.ListField(
        source="result.notes",
        child=serializers.CharField(),
        default=None,
        read_only=True,
        help_text="What was left out, and why; the first of it.",
    )

    class Meta:
        model = Job
        fields = (
            *JobSerializer.Meta.fields,
            "format",
            "n_images",
            "n_labelled",
            "n_known",
            "n_boxes",
            "n_left_out",
            "notes",
        )
        read_only_fields = fields


class ImportViewSet(OwnedViewSet[Job]):
    """Pictures from elsewhere, and what is said of them in COCO, YOLO, VOC or Datumaro."""

    queryset = Job.objects.filter(kind=IMPORT_SET).select_related("created_by")
    serializer_class = ImportSerializer
    needed = Role.LABELER
    needed_to_write = Role.LABELER

    @extend_schema(
        request=ImportRequestSerializer,
        responses={HTTPStatus.CREATED: ImportAddressSerializer},
        examples=[OpenApiExample("A set", value={"name": "street.zip"}, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        """Announce a file and learn where to send it: a large body is taken there alone."""
        wanted = ImportRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        actor = actor_of(request)
        organization = chosen_organization(
            actor, Role.LABELER, organization_id=wanted.validated_data.get("organization")
        )
        name = wanted.validated_data["name"]
        try:
            job = announce_import(organization=organization, name=name, by=actor, at=now())
        except TooManyImports as error:
            raise ApiProblem(HTTPStatus.CONFLICT, "too-many-imports", str(error)) from error
        answer = {"id": job.pk, "upload": upload_path(job.pk), "most_bytes": MAX_BYTES}
        location = reverse("import-detail", args=[job.pk])
        return Response(answer, HTTPStatus.CREATED, headers={"Location": location})
