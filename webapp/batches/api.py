"""Batches over HTTP: begin one, see how far it is, steer it, fetch what came of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar, Final, cast

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from processing.wire.batch import BadShard
from processing.wire.packed import BadDetections
from webapp.accounts.models import Role
from webapp.accounts.queries import chosen_organization
from webapp.accounts.requests import actor_of
from webapp.accounts.viewsets import OwnedViewSet
from webapp.batches.actions import TooManyBatches, create_batch
from webapp.batches.exporting import (
    CONTENT_TYPES,
    Format,
    as_json,
    export,
    file_name,
    judged_only,
)
from webapp.batches.models import Batch, WorkerBundle
from webapp.batches.queries import bundles_at_hand, n_judged, pictures_of
from webapp.batches.steering import (
    NotNow,
    cancel_batch,
    pause_batch,
    resume_batch,
    retry_batch,
)
from webapp.batches.uploads import MAX_BYTES, upload_path
from webapp.batches.wishes import BatchRequestSerializer
from webapp.common.clock import now
from webapp.common.filters import Allowed, read_filters
from webapp.common.problems import ApiProblem
from webapp.common.streams import Streamed
from webapp.media.queries import BlobLost
from webapp.results.api import AnyFormat, ExportThrottle
from webapp.results.exporting import Busy, TooMuch, turns

MOST_PICTURES: Final = 500
"""In one answer."""
_AGAIN_IN_S: Final = 10


class BatchSerializer(serializers.ModelSerializer[Batch]):
    created_by = serializers.CharField(source="created_by.username", default=None, read_only=True)
    n_judged = serializers.SerializerMethodField(
        help_text="Up to now; those that could not be judged are among them."
    )
    upload = serializers.SerializerMethodField(
        help_text="POST the archive or picture there as it is, beginning within an hour; null"
        " unless it is awaited."
    )
    most_bytes = serializers.SerializerMethodField(help_text="Of what is sent.")

    class Meta:
        model = Batch
        fields = (
            "id",
            "organization",
            "name",
            "source",
            "state",
            "bundle",
            "bundle_name",
            "labels",
            "min_score",
            "is_shadow",
            "n_items",
            "n_judged",
            "n_failed",
            "n_found",
            "counts",
            "notes",
            "error",
            "created_by",
            "created_at",
            "began_at",
            "finished_at",
            "upload",
            "most_bytes",
        )
        read_only_fields = fields

    def get_n_judged(self, batch: Batch) -> int:
        return n_judged(batch)

    def get_upload(self, batch: Batch) -> str | None:
        return upload_path(batch.pk) if batch.state == Batch.State.AWAITED else None

    def get_most_bytes(self, batch: Batch) -> int | None:
        return MAX_BYTES if batch.state == Batch.State.AWAITED else None


class FoundSerializer(serializers.Serializer[object]):
    """One detection."""

    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    label_number = serializers.IntegerField(help_text="Index into the batch's labels.")
    score = serializers.FloatField()
    xyxy = serializers.ListField(
        child=serializers.FloatField(), help_text="Left, top, right, bottom; 0..1 of the picture."
    )
    xyxy_px = serializers.ListField(child=serializers.FloatField(), help_text="In pixels.")


class PictureSerializer(serializers.Serializer[object]):
    """What came of one picture."""

    number = serializers.IntegerField(help_text="From 0, in the order of the list.")
    picture = serializers.CharField(help_text="Its name in what was sent, or who took it when.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    error = serializers.CharField(allow_null=True, help_text="Why it could not be judged.")
    bundle = serializers.CharField()
    detections = FoundSerializer(many=True)


class BundleSerializer(serializers.ModelSerializer[WorkerBundle]):
    class Meta:
        model = WorkerBundle
        fields = ("digest", "name", "version", "labels")
        read_only_fields = fields


class BatchViewSet(OwnedViewSet[Batch]):
    """Thousands of pictures, judged when there is time: each exactly once, in order."""

    queryset = Batch.objects.select_related("created_by")
    serializer_class = BatchSerializer
    needed = None
    needed_to_write = Role.OPERATOR
    filters: ClassVar = {
        "state": Allowed.one_of("state", Batch.State.choices),
        "source": Allowed.one_of("source", Batch.Source.choices),
        "from": Allowed.since("created_at"),
        "to": Allowed.until("created_at"),
    }
    _picture_filters: ClassVar = {
        "first": Allowed(
            "first", serializers.IntegerField(min_value=0, max_value=2**31 - 1), "From this number."
        ),
        "most": Allowed(
            "most", serializers.IntegerField(min_value=1, max_value=MOST_PICTURES), "So many."
        ),
    }
    _result_filters: ClassVar = {
        "format": Allowed.one_of("format", [(name, name) for name in CONTENT_TYPES])
    }

    @extend_schema(
        request=BatchRequestSerializer,
        responses={HTTPStatus.CREATED: BatchSerializer},
        examples=[
            OpenApiExample(
                "An archive, to be sent next",
                value={"name": "Street, May", "source": "upload", "bundle": "0" * 32},
                request_only=True,
            ),
            OpenApiExample(
                "A folder of the store",
                value={
                    "name": "Archive", "source": "folder", "folder": "2026/may",
                    "bundle": "0" * 32, "min_score": 0.5,
                },
                request_only=True,
            ),
            OpenApiExample(
                "What cameras kept in a day",
                value={
                    "name": "Monday", "source": "samples", "bundle": "0" * 32,
                    "from": "2026-11-16T00:00:00Z", "to": "2026-11-17T00:00:00Z",
                },
                request_only=True,
            ),
        ],
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """Begin a batch; one of an upload begins when its file has come."""
        actor = actor_of(request)
        asked = BatchRequestSerializer(data=request.data, context={"actor": actor})
        asked.is_valid(raise_exception=True)
        organization = chosen_organization(
            actor, Role.OPERATOR, organization_id=asked.validated_data.get("organization")
        )
        new = asked.new_batch(organization)
        try:
            batch = create_batch(new, organization=organization, by=actor, at=now())
        except TooManyBatches as error:
            raise ApiProblem(HTTPStatus.CONFLICT, "too-many-batches", str(error)) from error
        location = reverse("batch-detail", args=[batch.pk])
        answer = self.get_serializer(batch).data
        return Response(answer, HTTPStatus.CREATED, headers={"Location": location})

    @extend_schema(request=None, operation_id="batches_pause")
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Stop at the next pictures; what was judged stays."""
        return self._steer(pause_batch)

    @extend_schema(request=None, operation_id="batches_resume")
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Go on with a paused batch."""
        return self._steer(resume_batch)

    @extend_schema(request=None, operation_id="batches_cancel")
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """End a batch for good; what was judged stays."""
        return self._steer(cancel_batch)

    @extend_schema(request=None, operation_id="batches_retry")
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Look once more at the pictures that failed, and at those that were not reached."""
        return self._steer(retry_batch)

    @extend_schema(
        operation_id="batches_pictures",
        parameters=[
            OpenApiParameter("first", int, description="From this number on; 0 by itself."),
            OpenApiParameter("most", int, description=f"So many; at most {MOST_PICTURES}."),
        ],
        responses=PictureSerializer(many=True),
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def pictures(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Return what came of some consecutive pictures, those that are done with."""
        wanted = read_filters(request, self._picture_filters)
        batch = self.get_object()
        first, most = cast("int", wanted.get("first", 0)), cast("int", wanted.get("most", 100))
        with _problems():
            found = judged_only(pictures_of(batch, first=first, most=most))
            return Response([as_json(batch, judged) for judged in found])

    @extend_schema(
        operation_id="batches_results",
        parameters=[
            OpenApiParameter(
                "format", enum=list(CONTENT_TYPES), description="JSON lines by itself."
            )
        ],
        responses={
            (HTTPStatus.OK, CONTENT_TYPES["jsonl"]): OpenApiTypes.STR,
            (HTTPStatus.OK, CONTENT_TYPES["coco"]): OpenApiTypes.OBJECT,
            (HTTPStatus.OK, CONTENT_TYPES["parquet"]): OpenApiTypes.BINARY,
        },
    )
    @action(
        detail=True,
        methods=["get"],
        throttle_classes=[ExportThrottle],
        content_negotiation_class=AnyFormat,
    )
    def results(self, request: Request, pk: str) -> HttpResponseBase:  # noqa: ARG002 - the signature is DRF's
        """Download what came of all pictures so far, in order. One download at a time a user."""
        wanted = read_filters(request, self._result_filters)
        batch = self.get_object()
        return results_response(
            batch, cast("Format", wanted.get("format", "jsonl")), request, at=now()
        )

    @extend_schema(operation_id="batches_bundles", responses=BundleSerializer(many=True))
    @action(detail=False, methods=["get"], pagination_class=None)
    def bundles(self, request: Request) -> Response:
        """Return the bundles that batches may be judged with: those that the workers have."""
        read_filters(request, {})
        return Response(BundleSerializer(bundles_at_hand(), many=True).data)

    def _steer(self, act: Callable[..., Batch]) -> Response:
        batch = self.get_object()
        try:
            batch = act(batch, at=now())
        except NotNow as error:
            raise ApiProblem(HTTPStatus.CONFLICT, "not-now", str(error)) from error
        return Response(self.get_serializer(batch).data)


def results_response(
    batch: Batch, format_: Format, request: Request, *, at: datetime
) -> HttpResponseBase:
    """Return the file as it is made; raise a problem in words."""
    user_id, content_type = actor_of(request).pk, CONTENT_TYPES[format_]
    response: HttpResponseBase
    with _problems():
        if request.method == "HEAD":
            turns.look(user_id)
            response = HttpResponse(content_type=content_type)
        else:
            response = Streamed(export(batch, format_, user_id=user_id), content_type=content_type)
    name = file_name(batch, format_, at=at)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@contextmanager
def _problems() -> Iterator[None]:
    """Say in words what cannot be read, or not now."""
    try:
        yield
    except Busy as error:
        raise Throttled(_AGAIN_IN_S, "You have an export under way: one at a time.") from error
    except TooMuch as error:
        words = "That is too much for one Parquet file: take JSON lines."
        raise serializers.ValidationError({"format": [words]}) from error
    except (BlobLost, BadShard, BadDetections) as error:
        words = "What came of some pictures is not in the store any more. A backup may have it."
        raise ApiProblem(HTTPStatus.GONE, "results-lost", words) from error
