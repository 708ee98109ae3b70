"""What each camera's pictures were like, a minute and an hour, and where they were judged."""

from typing import Final, Literal, TypeAlias, get_args

from django.db import models

from webapp.accounts.models import Organization
from webapp.accounts.tenancy import OwnedManager
from webapp.fleet.models import Camera

Feature: TypeAlias = Literal["brightness", "contrast", "sharpness", "noise", "motion"]
"""See `processing.wire.messages.FrameFeatures`."""
FEATURES: Final[tuple[Feature, ...]] = get_args(Feature)


class _Sketched(models.Model):
    """Of one camera and one stretch of time; written by `webapp.monitoring.folding` alone."""

    id = models.BigAutoField(primary_key=True)
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="+", db_index=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    begins_at = models.DateTimeField()
    n_frames = models.PositiveIntegerField()
    """That were measured: one now and then."""

    # Each a `webapp.monitoring.sketches.Sketch`, encoded.
    brightness = models.BinaryField()
    contrast = models.BinaryField()
    sharpness = models.BinaryField()
    noise = models.BinaryField()
    motion = models.BinaryField()

    objects = OwnedManager()

    class Meta:
        abstract = True


class FeatureMinute(_Sketched):
    """A camera's minute."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("camera", "begins_at"), name="feature_minute_once"),
        )

    def __str__(self) -> str:
        return f"{self.camera_id} {self.begins_at:%H:%M}"


class FeatureHour(_Sketched):
    """A camera's hour: its minutes merged, written with them."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("camera", "begins_at"), name="feature_hour_once"),
        )

    def __str__(self) -> str:
        return f"{self.camera_id} {self.begins_at:%d %b %H} h"


class OverflowMeter(models.Model):
    """A camera's counts of what was judged where, as its agent reported them last."""

    camera = models.OneToOneField(
        Camera, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    since_at = models.DateTimeField()
    """When the agent began to count; another instant means that it began anew."""
    counts = models.JSONField(default=dict)
    """By the names of `OverflowHour`."""
    reason = models.TextField(blank=True)
    """Why the cloud is not used just now, in the agent's words."""
    reported_at = models.DateTimeField()

    objects = OwnedManager()

    def __str__(self) -> str:
        return f"{self.camera_id} since {self.since_at:%d %b}"


class OverflowHour(models.Model):
    """What of one camera was judged where in one hour of UTC; by `webapp.monitoring.metering`.

    An hour is that of the report: what an agent did while it was away is in the hour of its return.
    """

    id = models.BigAutoField(primary_key=True)
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="+", db_index=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    begins_at = models.DateTimeField()

    # As `processing.wire.overflow.OverflowState` has them.
    n_local = models.PositiveBigIntegerField(default=0)
    n_cloud = models.PositiveBigIntegerField(default=0)
    n_saturated = models.PositiveBigIntegerField(default=0)
    n_doubtful = models.PositiveBigIntegerField(default=0)
    n_always = models.PositiveBigIntegerField(default=0)
    n_refused = models.PositiveBigIntegerField(default=0)
    n_late = models.PositiveBigIntegerField(default=0)
    n_failed = models.PositiveBigIntegerField(default=0)
    n_over_budget = models.PositiveBigIntegerField(default=0)
    n_unknown = models.PositiveBigIntegerField(default=0)
    n_bytes = models.PositiveBigIntegerField(default=0)
    micros = models.PositiveBigIntegerField(default=0)

    objects = OwnedManager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("camera", "begins_at"), name="overflow_hour_once"),
        )

    def __str__(self) -> str:
        return f"{self.camera_id} {self.begins_at:%d %b %H} h"
