"""What models said, over HTTP: results frame by frame, counts by class and time."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from processing.wire.packed import unpack
from webapp.accounts.models import Role
from webapp.accounts.requests import actor_of
from webapp.accounts.viewsets import OwnedRows, OwnedViewSet
from webapp.common.clock import now
from webapp.common.filters import Allowed, read_filters
from webapp.common.pagination import NewestCaptureFirst
from webapp.fleet.models import Bundle, Camera
from webapp.results.counts import BUCKETS, Counts, RangeTooLong, counts_of, default_range
from webapp.results.models import Result


class BoxSerializer(serializers.Serializer[object]):
    """One detection."""

    xyxy = serializers.ListField(
        child=serializers.FloatField(),
        min_length=4,
        max_length=4,
        help_text="Left, top, right, bottom; 0..1 of the picture.",
    )
    score = serializers.FloatField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    track = serializers.IntegerField(allow_null=True, help_text="The same for one object.")


class ResultSerializer(serializers.ModelSerializer[Result]):
    boxes = serializers.SerializerMethodField()

    class Meta:
        model = Result
        fields = (
            "id",
            "camera",
            "bundle",
            "captured_at",
            "received_at",
            "latency_ms",
            "n_detections",
            "boxes",
        )

    @extend_schema_field(BoxSerializer(many=True))
    def get_boxes(self, result: Result) -> list[dict[str, object]]:
        return unpacked(bytes(result.detections), result.bundle)


def unpacked(packed: bytes, bundle: Bundle) -> list[dict[str, object]]:
    """Return packed detections in words, with the bundle's names of the classes."""
    labels: list[str] = bundle.labels
    return [
        {
            "xyxy": [round(edge, 5) for edge in found[:4]],
            "score": round(found.score, 4),
            "label": labels[found.label] if found.label < len(labels) else f"class {found.label}",
            "track": found.track or None,
        }
        for found in unpack(packed)
    ]


class ResultViewSet(OwnedViewSet[Result]):
    """One frame as one bundle saw it, newest capture first."""

    queryset = Result.objects.prefetch_related("bundle")
    serializer_class = ResultSerializer
    pagination_class = NewestCaptureFirst
    needed = Role.OPERATOR
    filters: ClassVar = {
        "camera": Allowed.id_of("camera", "camera"),
        "bundle": Allowed.id_of("bundle", "bundle"),
        "from": Allowed.since("captured_at"),
        "to": Allowed.until("captured_at"),
    }


class CountSerializer(serializers.Serializer[object]):
    """How often a class was seen by a camera in one bucket of time."""

    camera = serializers.UUIDField()
    bucket_at = serializers.DateTimeField(help_text="When the bucket begins.")
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    n_tracks = serializers.IntegerField(help_text="Objects that came into view.")
    n_detections = serializers.IntegerField(help_text="Boxes, over all frames.")
    peak = serializers.IntegerField(help_text="The most at once in one frame.")


class FramesSerializer(serializers.Serializer[object]):
    """How many frames of a camera have a result in one bucket; none: it was not watched."""

    camera = serializers.UUIDField()
    bucket_at = serializers.DateTimeField()
    n_results = serializers.IntegerField()


class CountsSerializer(serializers.Serializer[Counts]):
    """Counts of a stretch of time."""

    counts = CountSerializer(many=True)
    frames = FramesSerializer(many=True)


class CountsViewSet(OwnedRows[Camera]):
    """How much was seen, from the per-minute rollups: exact, also after late data."""

    queryset = Camera.objects.all()
    pagination_class = None
    needed = Role.OPERATOR
    filters: ClassVar = {
        "camera": Allowed.id_of("pk", "camera"),
        "from": Allowed.since("minute_at"),
        "to": Allowed.until("minute_at"),
        "bucket": Allowed.one_of("bucket", [(name, name) for name in BUCKETS]),
    }

    @extend_schema(responses=CountsSerializer, operation_id="counts_list")
    def list(self, request: Request) -> Response:
        """Return counts per camera, class and bucket; by default of the last hour, by minutes."""
        wanted = read_filters(request, self.filters)
        cameras = Camera.objects.for_actor(actor_of(request), self.needed)
        if "camera" in wanted:
            cameras = cameras.filter(pk=str(wanted["camera"]))
        bucket = str(wanted.get("bucket", "minute"))
        try:
            start, end = default_range(wanted.get("from"), wanted.get("to"), bucket, at=now())
            counts = counts_of(cameras, bucket=bucket, start=start, end=end)
        except RangeTooLong as error:
            raise serializers.ValidationError({"from": [str(error)]}) from error
        return Response(CountsSerializer(counts).data)
