"""Samples and exports over HTTP."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.models import Role
from webapp.accounts.queries import chosen_organization
from webapp.accounts.requests import actor_of
from webapp.accounts.viewsets import OwnedViewSet
from webapp.common.clock import now
from webapp.common.filters import Allowed
from webapp.common.pagination import NewestCaptureFirst
from webapp.common.problems import ApiProblem
from webapp.datasets.actions import EXPORT_COCO, TooManyExports, request_export
from webapp.datasets.models import Annotation, Sample
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
        fields = ("id", "author", "created_at", "boxes")


class SampleSerializer(serializers.ModelSerializer[Sample]):
    predictions = serializers.SerializerMethodField()
    annotation = serializers.SerializerMethodField(help_text="The newest; null before a verdict.")
    picture = serializers.SerializerMethodField(help_text="Null until it has been checked.")
    thumbnail = serializers.SerializerMethodField()

    class Meta:
        model = Sample
        fields = (
            "id",
            "camera",
            "agent",
            "bundle",
            "captured_at",
            "received_at",
            "reason",
            "score",
            "width",
            "height",
            "state",
            "picture",
            "thumbnail",
            "predictions",
            "annotation",
        )

    @extend_schema_field(BoxSerializer(many=True))
    def get_predictions(self, sample: Sample) -> list[dict[str, object]]:
        return unpacked(bytes(sample.predictions), sample.bundle)

    @extend_schema_field(AnnotationSerializer(allow_null=True))
    def get_annotation(self, sample: Sample) -> dict[str, Any] | None:
        current = [found for found in sample.annotations.all() if found.is_current]
        return AnnotationSerializer(current[0]).data if current else None

    def get_picture(self, sample: Sample) -> str | None:
        return reverse("picture", args=[sample.id]) if sample.state == "ready" else None

    def get_thumbnail(self, sample: Sample) -> str | None:
        is_there = sample.state == "ready" and sample.thumbnail_id is not None
        return reverse("thumbnail", args=[sample.id]) if is_there else None


class SampleViewSet(OwnedViewSet[Sample]):
    """Frames kept for learning, with what the bundle and people said of them."""

    queryset = Sample.objects.prefetch_related("bundle", "annotations__author")
    serializer_class = SampleSerializer
    pagination_class = NewestCaptureFirst
    filters: ClassVar = {
        "camera": Allowed.id_of("camera", "camera"),
        "state": Allowed.one_of("state", Sample.State.choices),
        "reason": Allowed.one_of("reason", Sample.Reason.choices),
        "from": Allowed.since("captured_at"),
        "to": Allowed.until("captured_at"),
    }


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


class ExportSerializer(JobSerializer):
    """An export and how far it is."""

    file = serializers.SerializerMethodField(help_text="Where the COCO JSON is, once it is done.")
    n_images = serializers.IntegerField(source="result.n_images", default=None, read_only=True)
    n_boxes = serializers.IntegerField(source="result.n_boxes", default=None, read_only=True)

    class Meta:
        model = Job
        fields = (*JobSerializer.Meta.fields, "n_images", "n_boxes", "file")
        read_only_fields = fields

    def get_file(self, job: Job) -> str | None:
        return reverse("export-file", args=[job.id]) if job.state == Job.State.DONE else None


class ExportViewSet(OwnedViewSet[Job]):
    """What people said of samples, as COCO JSON for everybody else's tools."""

    queryset = Job.objects.filter(kind=EXPORT_COCO).select_related("created_by")
    serializer_class = ExportSerializer
    needed = Role.LABELER
    needed_to_write = Role.LABELER

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
                organization=organization, camera_ids=camera_ids, by=actor, at=now()
            )
        except TooManyExports as error:
            words = "Some exports are not done yet: wait for them, or cancel them."
            raise ApiProblem(HTTPStatus.CONFLICT, "too-many-exports", words) from error
        location = reverse("export-detail", args=[job.id])
        answer = self.get_serializer(job).data
        return Response(answer, HTTPStatus.ACCEPTED, headers={"Location": location})

    @extend_schema(
        operation_id="exports_download",
        responses={(HTTPStatus.OK, "application/json"): OpenApiTypes.OBJECT},
    )
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: str) -> HttpResponseBase:  # noqa: ARG002 - the signature is DRF's
        """Download the COCO JSON."""
        job = self.get_object()
        blob = Blob.objects.filter(
            organization=job.organization_id, pk=job.result.get("blob")
        ).first()
        if job.state != Job.State.DONE or blob is None:
            raise NotFound("The export is not done.")
        name = f"farwatch-{job.created_at:%Y-%m-%d-%H%M}.coco.json"
        return blob_response(request._request, blob, name=name)  # noqa: SLF001 - DRF's wrapper has no other door
