"""What models said, over HTTP: results frame by frame, counts by class and time."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar, Final, cast
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import Throttled
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle

from processing.wire.limits import MAX_NAME
from processing.wire.packed import unpack
from webapp.accounts.models import Role
from webapp.accounts.requests import actor_of
from webapp.accounts.viewsets import OwnedRows, OwnedViewSet
from webapp.common.clock import now
from webapp.common.filters import Allowed, read_filters
from webapp.common.problems import ApiProblem
from webapp.common.streams import Streamed
from webapp.fleet.models import Bundle, Camera
from webapp.results.archive_files import TooSlow
from webapp.results.archive_reading import DayUnreadable, Stored
from webapp.results.archive_source import EPOCH
from webapp.results.counts import (
    BUCKETS,
    Asked,
    Counts,
    RangeTooLong,
    ZoneCounts,
    counts_of,
    default_range,
    zone_counts_of,
)
from webapp.results.days import ONE_DAY
from webapp.results.exporting import (
    CONTENT_TYPES,
    LONGEST_RANGE,
    Busy,
    Format,
    TooMuch,
    export,
    turns,
)
from webapp.results.models import Result
from webapp.results.pages import ResultPages
from webapp.results.search import Search
from webapp.results.sought import NoSuchZone, Sought, class_name

_MOST_DIGITS: Final = 18
_AGAIN_IN_S: Final = 10


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
    return [
        {
            "xyxy": [round(edge, 5) for edge in found[:4]],
            "score": round(found.score, 4),
            "label": class_name(bundle, found.label),
            "track": found.track or None,
        }
        for found in unpack(packed)
    ]


class ExportThrottle(UserRateThrottle):
    """So many exports a user and minute, at each web process: one looks ahead before it begins."""

    scope = "results-export"
    rate = "30/min"


class AnyFormat(BaseContentNegotiation):
    """Lets a view read `format` itself; refusals are JSON."""

    def select_parser(
        self,
        request: Request,  # noqa: ARG002 - the signature is DRF's
        parsers: Iterable[BaseParser],
    ) -> BaseParser | None:
        return next(iter(parsers), None)

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002 - the signature is DRF's
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002 - the signature is DRF's
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


_LABEL: Final = serializers.CharField(max_length=MAX_NAME)


class ResultViewSet(OwnedViewSet[Result]):
    """One frame as one bundle saw it, newest capture first."""

    queryset = Result.objects.all()
    serializer_class = ResultSerializer
    pagination_class = ResultPages
    needed: ClassVar[Role] = Role.OPERATOR
    filters: ClassVar = {
        "camera": Allowed.id_of("camera", "camera"),
        "bundle": Allowed.id_of("bundle", "bundle"),
        "from": Allowed.since("captured_at"),
        "to": Allowed.until("captured_at"),
        "label": Allowed("label", _LABEL, "Only frames with something of this class."),
        "zone": Allowed(
            "zone",
            serializers.UUIDField(),
            "Only frames with something in this zone, as it is drawn now: the middle of its box's"
            " lower edge is in it. With `label`: with something of that class in it.",
        ),
    }

    export_filters: ClassVar = filters | {
        "format": Allowed.one_of("format", [(name, name) for name in CONTENT_TYPES])
    }

    @extend_schema(
        operation_id="results_export",
        parameters=[
            OpenApiParameter("format", enum=list(CONTENT_TYPES), description="CSV by itself."),
        ],
        responses={
            (HTTPStatus.OK, "text/csv"): OpenApiTypes.STR,
            (HTTPStatus.OK, CONTENT_TYPES["jsonl"]): OpenApiTypes.STR,
            (HTTPStatus.OK, CONTENT_TYPES["parquet"]): OpenApiTypes.BINARY,
        },
    )
    @action(
        detail=False,
        methods=["get"],
        throttle_classes=[ExportThrottle],
        content_negotiation_class=AnyFormat,
    )
    def export(self, request: Request) -> HttpResponseBase:
        """Download detections, a row each, oldest first: of the last day, of 31 days at most.

        CSV and JSON lines come while they are read, however many; Parquet holds five million.
        With `label` or `zone` only detections of that class, in that zone. One at a time a user.
        """
        wanted = read_filters(request, self.export_filters)
        since, until = _export_range(wanted)
        format_ = cast("Format", wanted.get("format", "csv"))
        search = self.search(wanted | {"from": since, "to": until}, is_narrowed=True)
        user_id, content_type = actor_of(request).pk, CONTENT_TYPES[format_]
        response: HttpResponseBase
        with problems():
            if request.method == "HEAD":
                turns.look(user_id)
                response = HttpResponse(content_type=content_type)
            else:
                pieces = export(search, format_, user_id=user_id)
                response = Streamed(pieces, content_type=content_type)
        name = f"farwatch-results-{since:%Y-%m-%d}-{until:%Y-%m-%d}.{format_}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def filter_queryset(self, queryset: Any) -> Any:
        """Return it as it is: what is narrowed is the search, table and archive alike."""
        return queryset

    def paginate_queryset(self, queryset: Any) -> Any:  # noqa: ARG002 - the search makes its own
        """Return a page, of old days from the archive."""
        wanted = read_filters(self.request, self.filters)
        is_narrowed = not wanted.keys().isdisjoint({"label", "zone"})
        with problems():
            search = self.search(wanted, is_narrowed=is_narrowed)
            assert isinstance(self.paginator, ResultPages)
            return self.paginator.page_of(search, self.request)

    def search(self, wanted: Mapping[str, object], *, is_narrowed: bool) -> Search:
        """Return the search that the query parameters describe; raise a 400 problem."""
        stored = self._stored(wanted)
        if not is_narrowed:
            return Search(stored)
        label, zone = wanted.get("label"), wanted.get("zone")
        try:
            sought = Sought.of(
                stored.cameras,
                label=label if isinstance(label, str) else None,
                zone_id=zone if isinstance(zone, UUID) else None,
            )
        except NoSuchZone as error:
            words = "No camera that is meant has this zone now, so nobody knows where it was."
            raise serializers.ValidationError({"zone": [words]}) from error
        return Search.of(stored, sought)

    def get_object(self) -> Result:
        """Return one result, from the archive if the table has it no more."""
        try:
            return super().get_object()
        except Http404:
            key = str(self.kwargs["pk"])
            if not key.isdecimal() or len(key) > _MOST_DIGITS:
                raise
            with problems():
                found = self._stored({}).one(int(key))
            if found is None:
                raise
            return found

    def _stored(self, filters: Mapping[str, object]) -> Stored:
        return Stored.of(actor_of(self.request), self.needed, filters, at=now())


@contextmanager
def problems() -> Iterator[None]:
    """Say in words what cannot be read, or not now."""
    try:
        yield
    except DayUnreadable as error:
        day = f"The results of {error.day} (UTC) are in the archive,"
        if error.is_missing:
            words = f"{day} but their file is not there. A backup may have it."
            raise ApiProblem(HTTPStatus.GONE, "archive-missing", words) from error
        words = f"{day} but their file is damaged. A backup may have it whole."
        raise ApiProblem(HTTPStatus.SERVICE_UNAVAILABLE, "archive-damaged", words) from error
    except TooSlow as error:
        words = "Reading old days takes too long. Ask for one camera and a shorter time."
        raise ApiProblem(HTTPStatus.SERVICE_UNAVAILABLE, "archive-slow", words) from error
    except Busy as error:
        words = "You have an export under way: one at a time."
        raise Throttled(_AGAIN_IN_S, words) from error
    except TooMuch as error:
        words = "That is too much for one Parquet file: ask for a shorter time, or for CSV."
        raise serializers.ValidationError({"to": [words]}) from error


def _export_range(wanted: Mapping[str, object]) -> tuple[datetime, datetime]:
    """Return the time that is meant; raise a 400 problem."""
    until = cast("datetime", wanted.get("to", now()))
    since = cast("datetime", wanted.get("from", max(until, EPOCH + ONE_DAY) - ONE_DAY))
    if until <= since:
        raise serializers.ValidationError({"to": ["It must be later than `from`."]})
    if until - since > LONGEST_RANGE:
        words = f"At most {LONGEST_RANGE.days} days at once."
        raise serializers.ValidationError({"from": [words]})
    return since, until


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


class ZoneCountSerializer(serializers.Serializer[object]):
    """How much of a class came into a zone in one bucket of time."""

    camera = serializers.UUIDField()
    zone = serializers.UUIDField(help_text="As in the camera's scene; it may be gone from there.")
    bucket_at = serializers.DateTimeField(help_text="When the bucket begins.")
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    n_tracks = serializers.IntegerField(help_text="Objects that were in it for the first time.")


class ZoneCountsSerializer(serializers.Serializer[ZoneCounts]):
    """Counts of zones of a stretch of time."""

    counts = ZoneCountSerializer(many=True)
    frames = FramesSerializer(many=True)


class CountsViewSet(OwnedRows[Camera]):
    """How much was seen, from the rollups: exact, also after late data."""

    queryset = Camera.objects.all()
    pagination_class = None
    needed = Role.OPERATOR
    filters: ClassVar = {
        "camera": Allowed.id_of("pk", "camera"),
        "label": Allowed("label", serializers.CharField(max_length=MAX_NAME), "Only this class."),
        "from": Allowed.since("minute_at"),
        "to": Allowed.until("minute_at"),
        "bucket": Allowed.one_of("bucket", [(name, name) for name in BUCKETS]),
    }

    @extend_schema(responses=CountsSerializer, operation_id="counts_list")
    def list(self, request: Request) -> Response:
        """Return counts per camera, class and bucket; by default of the last hour, by minutes."""
        with _range_refused():
            counts = counts_of(self._asked(read_filters(request, self.filters)))
        return Response(CountsSerializer(counts).data)

    def _asked(self, wanted: Mapping[str, object]) -> Asked:
        cameras = Camera.objects.for_actor(actor_of(self.request), self.needed)
        if "camera" in wanted:
            cameras = cameras.filter(pk=str(wanted["camera"]))
        bucket = str(wanted.get("bucket", "minute"))
        start, end = default_range(wanted.get("from"), wanted.get("to"), bucket, at=now())
        label = str(wanted["label"]) if "label" in wanted else None
        return Asked(cameras, bucket, start, end, label)


class ZoneCountsViewSet(CountsViewSet):
    """How much came into zones, each object once a zone: exact, also after late data."""

    filters: ClassVar = CountsViewSet.filters | {"zone": Allowed.id_of("zone_id", "zone")}

    @extend_schema(responses=ZoneCountsSerializer, operation_id="zone_counts_list")
    def list(self, request: Request) -> Response:
        """Return counts per camera, zone, class and bucket; by default of the last hour."""
        wanted = read_filters(request, self.filters)
        zone = wanted.get("zone")
        with _range_refused():
            counts = zone_counts_of(
                self._asked(wanted), zone_id=zone if isinstance(zone, UUID) else None
            )
        return Response(ZoneCountsSerializer(counts).data)


@contextmanager
def _range_refused() -> Iterator[None]:
    """Say which field asks for too much."""
    try:
        yield
    except RangeTooLong as error:
        raise serializers.ValidationError({"from": [str(error)]}) from error
