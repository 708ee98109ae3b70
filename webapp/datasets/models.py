"""Frames kept for learning, and what models and people say is in them."""

from django.db import models

from webapp.accounts.models import User
from webapp.accounts.tenancy import Owned
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.media.models import Blob


class Sample(Owned):
    """A frame kept for learning, with the reason and what the bundle said of it."""

    class Reason(models.TextChoices):
        LOW_CONFIDENCE = "low_confidence", "Low confidence"
        RANDOM = "random", "Random slice"

    class State(models.TextChoices):
        RECEIVED = "received", "Received"
        READY = "ready", "Ready"
        BROKEN = "broken", "Not a readable picture"

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="samples")
    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, related_name="+")
    epoch = models.BigIntegerField(editable=False)
    seq = models.BigIntegerField(editable=False)
    captured_at = models.DateTimeField()
    received_at = models.DateTimeField()
    reason = models.CharField(max_length=16, choices=Reason)
    score = models.FloatField()
    """The figure behind the reason."""
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    picture = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    """As the agent sent it; after the worker's check, re-encoded without metadata."""
    thumbnail = models.ForeignKey(Blob, on_delete=models.PROTECT, null=True, related_name="+")
    predictions = models.BinaryField()
    """Packed, see `processing.wire.packed`; labels are the bundle's."""
    state = models.CharField(max_length=16, choices=State, default=State.RECEIVED)

    class Meta:
        ordering = ("-captured_at",)
        constraints = (
            models.UniqueConstraint(fields=("agent", "epoch", "seq"), name="sample_once"),
        )
        indexes = (models.Index(fields=("camera", "-captured_at"), name="sample_newest_first"),)

    def __str__(self) -> str:
        return f"{self.camera} at {self.captured_at:%Y-%m-%d %H:%M:%S}"


class Annotation(Owned):
    """A person's truth about a sample: all of its boxes, as of one verdict."""

    sample = models.ForeignKey(Sample, on_delete=models.CASCADE, related_name="annotations")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    boxes = models.JSONField(default=list)
    """A list of `{"xyxy": [x0, y0, x1, y1], "label": name}`, normalised 0..1."""
    is_current = models.BooleanField(default=True)
    """The newest; older ones are kept."""

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("sample",),
                condition=models.Q(is_current=True),
                name="one_current_annotation",
            ),
        )

    def __str__(self) -> str:
        return f"{len(self.boxes)} boxes by {self.author}"
