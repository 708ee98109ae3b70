"""What bundles said of frames, how often each class was seen, and how far each agent is."""

from pathlib import Path

from django.conf import settings
from django.db import models

from processing.wire.messages import LANES
from webapp.accounts.models import Organization
from webapp.accounts.tenancy import Owned, OwnedManager
from webapp.fleet.models import Agent, Bundle, Camera


class Result(models.Model):
    """One frame as one bundle saw it.

    Written by `webapp.results.bulk` alone, many at a time. The table is the results lane, so the
    lane of `(agent, epoch, lane, seq)` needs no column; a lane's cursor is what guards against
    repeats, and the unique key, which is also how a camera's frames are found, sees that it does.

    On PostgreSQL the table is partitioned by the UTC day of `captured_at`
    (`webapp.results.partitions`), so no index spans it: `id` is unique because a sequence gives
    it. What a row points at is checked before it comes here, its agent's row held: four foreign
    keys cost the database more than all the rest of an insert. A camera takes its results along.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        Organization,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    agent = models.ForeignKey(
        Agent, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    camera = models.ForeignKey(
        Camera, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    bundle = models.ForeignKey(
        Bundle, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
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
            models.UniqueConstraint(
                fields=("camera", "captured_at", "epoch", "seq"), name="result_once"
            ),
        )
        indexes = (
            models.Index(fields=("organization", "captured_at"), name="result_by_organization"),
        )

    def __str__(self) -> str:
        return f"{self.camera_id} at {self.captured_at:%H:%M:%S.%f}"


class Rollup(models.Model):
    """Counts of a camera in a stretch of time; exact, also after late data.

    Written by statements of `webapp.results.counted`, with the results or from what is shorter.
    As with `Result`, what a row points at was checked before.
    """

    id = models.BigAutoField(primary_key=True)
    camera = models.ForeignKey(
        Camera, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )

    objects = OwnedManager()

    class Meta:
        abstract = True


class ClassRollup(Rollup):
    """Counts of one class of things, as a bundle has it."""

    bundle = models.ForeignKey(
        Bundle, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    label = models.PositiveSmallIntegerField()
    """Index into the bundle's labels."""
    n_tracks = models.PositiveIntegerField()
    """Tracks that began: what people call "seen". Of a zone: that were in it for the first time."""

    class Meta:
        abstract = True


class CameraMinute(Rollup):
    """How many results a camera had in a minute."""

    minute_at = models.DateTimeField()
    n_results = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("camera", "minute_at"), name="camera_minute_once"),
        )

    def __str__(self) -> str:
        return f"{self.camera_id} {self.minute_at:%H:%M}"


class CameraHour(Rollup):
    """How many results a camera had in an hour that is folded, see `Folded`."""

    hour_at = models.DateTimeField()
    n_results = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("camera", "hour_at"), name="camera_hour_once"),
        )

    def __str__(self) -> str:
        return f"{self.camera_id} {self.hour_at:%d %b %H} h"


class CameraDay(Rollup):
    """How many results a camera had on a UTC day that is folded."""

    day_at = models.DateTimeField()
    n_results = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("camera", "day_at"), name="camera_day_once"),
        )

    def __str__(self) -> str:
        return f"{self.camera_id} {self.day_at:%d %b}"


class LabelMinute(ClassRollup):
    """How often a class was seen by a camera in a minute."""

    minute_at = models.DateTimeField()
    n_detections = models.PositiveIntegerField()
    peak = models.PositiveSmallIntegerField()
    """The most at once in one frame."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("camera", "minute_at", "bundle", "label"), name="label_minute_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.camera_id} {self.minute_at:%H:%M} {self.label}"


class LabelHour(ClassRollup):
    """How often a class was seen by a camera in an hour that is folded."""

    hour_at = models.DateTimeField()
    n_detections = models.PositiveBigIntegerField()
    peak = models.PositiveSmallIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("camera", "hour_at", "bundle", "label"), name="label_hour_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.camera_id} {self.hour_at:%d %b %H} h {self.label}"


class LabelDay(ClassRollup):
    """How often a class was seen by a camera on a UTC day that is folded."""

    day_at = models.DateTimeField()
    n_detections = models.PositiveBigIntegerField()
    n_tracks = models.PositiveBigIntegerField()
    peak = models.PositiveSmallIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("camera", "day_at", "bundle", "label"), name="label_day_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.camera_id} {self.day_at:%d %b} {self.label}"


class ZoneMinute(ClassRollup):
    """How much of a class came into a zone of a camera's scene in a minute."""

    zone_id = models.UUIDField()
    """As in the scene; what came into a zone that was deleted since is still here."""
    minute_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("camera", "minute_at", "zone_id", "bundle", "label"),
                name="zone_minute_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.zone_id} {self.minute_at:%H:%M} {self.label}"


class ZoneHour(ClassRollup):
    """How much of a class came into a zone in an hour that is folded."""

    zone_id = models.UUIDField()
    hour_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("camera", "hour_at", "zone_id", "bundle", "label"), name="zone_hour_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.zone_id} {self.hour_at:%d %b %H} h {self.label}"


class ZoneDay(ClassRollup):
    """How much of a class came into a zone on a UTC day that is folded."""

    zone_id = models.UUIDField()
    day_at = models.DateTimeField()
    n_tracks = models.PositiveBigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("camera", "day_at", "zone_id", "bundle", "label"), name="zone_day_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.zone_id} {self.day_at:%d %b} {self.label}"


class Folded(models.Model):
    """How far minutes are added up, see `webapp.results.folding`: one row, of the whole hub."""

    until = models.DateTimeField()
    """All hours before are folded, and all whole days."""

    def __str__(self) -> str:
        return f"until {self.until:%Y-%m-%d %H:%M}"


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


class ArchivedDay(Owned):
    """The results of one UTC day, in a Parquet file; see `webapp.results.archive`."""

    day = models.DateField()
    n_rows = models.PositiveBigIntegerField()
    n_seen = models.PositiveBigIntegerField()
    """How many rows the table had of this day when the file was written."""
    n_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    archived_at = models.DateTimeField()
    damaged_at = models.DateTimeField(null=True)
    """When somebody found that the file cannot be read."""
    is_damage_told = models.BooleanField(default=False)
    """Whether there is an event of it."""

    class Meta:
        ordering = ("-day",)
        constraints = (
            models.UniqueConstraint(fields=("organization", "day"), name="archived_day_once"),
        )

    def __str__(self) -> str:
        return f"{self.day}: {self.n_rows} results"

    @property
    def path(self) -> Path:
        """Return where the file is; another content has another name."""
        name = f"{self.day}-{self.sha256[:12]}.parquet"
        return Path(settings.DATA_DIR) / "archive" / self.organization_id.hex / name
