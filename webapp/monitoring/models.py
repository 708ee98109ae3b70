"""What each camera's pictures were like: a sketch of each feature, a minute and an hour."""

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
