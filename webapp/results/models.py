"""What bundles said of frames, how often each class was seen, and how far each agent is."""

from django.db import models

from processing.wire.messages import LANES
from webapp.accounts.models import Organization
from webapp.accounts.tenancy import Owned, OwnedManager
from webapp.fleet.models import Agent, Bundle, Camera


class Result(models.Model):
    """One frame as one bundle saw it.

    Written by `webapp.results.bulk` alone, many at a time; repeats fall on the unique key. The
    table is the results lane, so the lane of `(agent, epoch, lane, seq)` needs no column.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+", db_index=False)
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="+", db_index=False)
    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, related_name="+", db_index=False)
    epoch = models.BigIntegerField()
    seq = models.BigIntegerField()
    captured_at = models.DateTimeField()
    received_at = models.DateTimeField()
    latency_ms = models.FloatField()
    n_detections = models.PositiveSmallIntegerField()
    detections = models.BinaryField()
    """Packed, see `processing.wire.packed`."""

    objects = OwnedManager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("agent", "epoch", "seq"), name="result_once"),
        )
        indexes = (
            models.Index(fields=("camera", "captured_at"), name="result_by_camera"),
            models.Index(fields=("organization", "captured_at"), name="result_by_organization"),
        )

    def __str__(self) -> str:
        return f"{self.camera_id} at {self.captured_at:%H:%M:%S.%f}"


class CameraMinute(models.Model):
    """How many results a camera had in a minute; exact, also after late data."""

    id = models.BigAutoField(primary_key=True)
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="+", db_index=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    minute_at = models.DateTimeField()
    n_results = models.PositiveIntegerField()

    objects = OwnedManager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("camera", "minute_at"), name="camera_minute_once"),
        )

    def __str__(self) -> str:
        return f"{self.camera_id} {self.minute_at:%H:%M}"


class LabelMinute(models.Model):
    """How often a class was seen by a camera in a minute; exact, also after late data."""

    id = models.BigAutoField(primary_key=True)
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="+", db_index=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, related_name="+", db_index=False)
    minute_at = models.DateTimeField()
    label = models.PositiveSmallIntegerField()
    """Index into the bundle's labels."""
    n_detections = models.PositiveIntegerField()
    n_tracks = models.PositiveIntegerField()
    """Tracks that began in this minute: what people call "seen"."""
    peak = models.PositiveSmallIntegerField()
    """The most at once in one frame."""

    objects = OwnedManager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("camera", "bundle", "minute_at", "label"), name="label_minute_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.camera_id} {self.minute_at:%H:%M} {self.label}"


class IngestCursor(models.Model):
    """The highest contiguous seq of an agent's lane that is committed."""

    id = models.BigAutoField(primary_key=True)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+", db_index=False)
    epoch = models.BigIntegerField()
    lane = models.CharField(max_length=8, choices=[(lane, lane) for lane in LANES])
    through_seq = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("agent", "epoch", "lane"), name="ingest_cursor_once"),
        )

    def __str__(self) -> str:
        return f"{self.agent_id} {self.lane} through {self.through_seq}"


class LostRange(Owned):
    """Entries that will never come, and why: loss is a fact in the data, never silence."""

    class Reason(models.TextChoices):
        OUTBOX_FULL = "outbox_full", "The agent's outbox was full"
        UNREADABLE = "unreadable", "The agent could not read them back"
        REFUSED = "refused", "The hub refused them"

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    epoch = models.BigIntegerField()
    lane = models.CharField(max_length=8, choices=[(lane, lane) for lane in LANES])
    first_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    reason = models.CharField(max_length=16, choices=Reason)
    detail = models.CharField(max_length=2000, blank=True)
    noticed_at = models.DateTimeField()

    class Meta:
        ordering = ("-noticed_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("agent", "epoch", "lane", "first_seq"), name="lost_range_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.n_entries} of {self.lane}: {self.get_reason_display()}"

    @property
    def n_entries(self) -> int:
        return self.last_seq - self.first_seq + 1
