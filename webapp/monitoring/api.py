"""What cameras' pictures were like, over HTTP: features by camera and bucket of time."""

from typing import ClassVar, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.models import Role
from webapp.accounts.requests import actor_of
from webapp.accounts.viewsets import OwnedRows
from webapp.common.clock import now
from webapp.common.filters import Allowed, read_filters
from webapp.fleet.models import Camera
from webapp.monitoring.models import FEATURES, Feature
from webapp.monitoring.series import Spread, TooMuchAtOnce, spreads
from webapp.results.counts import BUCKETS, RangeTooLong, default_range


class SpreadSerializer(serializers.Serializer[Spread]):
    """How one feature of a camera's frames was spread in one bucket of time."""

    camera = serializers.UUIDField()
    bucket_at = serializers.DateTimeField(help_text="When the bucket begins.")
    feature = serializers.ChoiceField(FEATURES)
    n_frames = serializers.IntegerField(help_text="That were measured: one now and then.")
    mean = serializers.FloatField(help_text="Exact, as `least` and `most` are.")
    least = serializers.FloatField()
    p10 = serializers.FloatField(help_text="Quantiles are within 2 %.")
    p50 = serializers.FloatField()
    p90 = serializers.FloatField()
    most = serializers.FloatField()


class FeaturesSerializer(serializers.Serializer[object]):
    """Features of a stretch of time."""

    features = SpreadSerializer(many=True)


class FeaturesViewSet(OwnedRows[Camera]):
    """What pictures are like, from sketches a minute and an hour: exact, also after late data."""

    queryset = Camera.objects.all()
    pagination_class = None
    needed = Role.OPERATOR
    filters: ClassVar = {
        "camera": Allowed.id_of("pk", "camera"),
        "feature": Allowed.one_of("feature", [(name, name) for name in FEATURES]),
        "from": Allowed.since("begins_at"),
        "to": Allowed.until("begins_at"),
        "bucket": Allowed.one_of("bucket", [(name, name) for name in BUCKETS]),
    }

    @extend_schema(responses=FeaturesSerializer, operation_id="features_list")
    def list(self, request: Request) -> Response:
        """Return features per camera and bucket; by default of the last hour, by minutes."""
        wanted = read_filters(request, self.filters)
        cameras = Camera.objects.for_actor(actor_of(request), self.needed)
        if "camera" in wanted:
            cameras = cameras.filter(pk=str(wanted["camera"]))
        features = (cast("Feature", wanted["feature"]),) if "feature" in wanted else FEATURES
        bucket = str(wanted.get("bucket", "minute"))
        step_s = int(BUCKETS[bucket].total_seconds())
        try:
            start, end = default_range(wanted.get("from"), wanted.get("to"), bucket, at=now())
            found = list(spreads(cameras, features, step_s=step_s, start=start, end=end))
        except (RangeTooLong, TooMuchAtOnce) as error:
            raise serializers.ValidationError({"from": [str(error)]}) from error
        return Response(FeaturesSerializer({"features": found}).data)
