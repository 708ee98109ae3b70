"""What a person is told about: from agents, and from the hub about them."""

from datetime import datetime, timedelta
from typing import Final

from django.db import models

from processing.wire.limits import MAX_NAME, MAX_TEXT
from webapp.accounts.models import User
from webapp.accounts.tenancy import Owned
from webapp.fleet.models import Agent, Camera
from webapp.media.models import Blob

CLIP_PATIENCE: Final = timedelta(minutes=10)
"""So long a clip that was asked for is waited for; then it can be asked for again."""


class Thumbnail(Owned):
    """The best picture of an event so far; it may be here before any word of its event is."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    event_id = models.UUIDField(editable=False)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    score = models.FloatField()
    """Of the best detection in it, 0 to 1."""
    captured_at = models.DateTimeField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("agent", "event_id"), name="thumbnail_once"),
        )

    def __str__(self) -> str:
        return f"{self.width} x {self.height} at {self.captured_at:%Y-%m-%d %H:%M:%S}"


class Event(Owned):
    """One thing that happened, at once or with a beginning and an end."""

    class Severity(models.TextChoices):
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        ERROR = "error", "Error"

    class State(models.TextChoices):
        ONCE = "once", "Over at once"
        RUNNING = "running", "Running"
        OVER = "over", "Over"

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, null=True, related_name="events")
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, null=True, related_name="events")
    kind = models.CharField(max_length=MAX_NAME)
    severity = models.CharField(max_length=8, choices=Severity)
    title = models.CharField(max_length=MAX_TEXT)
    detail = models.CharField(max_length=MAX_TEXT, blank=True)
    occurred_at = models.DateTimeField()
    """Of an event with a life, when it began."""
    received_at = models.DateTimeField()
    """When the hub first heard of it."""

    # Its life, as the agent's words tell it; see `webapp.events.life`.
    event_id = models.UUIDField(null=True, editable=False)
    """The agent's name of it, the same in every word; None for what is said only once."""
    rule_id = models.UUIDField(null=True, editable=False)
    """Of the camera's scene; the rule may be gone by now."""
    state = models.CharField(max_length=8, choices=State, default=State.ONCE, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    labels = models.JSONField(default=list, editable=False)
    """The classes of what was in it."""
    tracks = models.JSONField(default=list, editable=False)
    """Their numbers, as on the live picture."""
    n_updates = models.PositiveIntegerField(default=0, editable=False)
    spoken_at = models.DateTimeField(null=True, editable=False)
    """Of the word whose title and detail are shown."""
    spoken_phase = models.CharField(max_length=8, blank=True, editable=False)
    thumbnail = models.ForeignKey(
        Thumbnail, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    # What people did about it, as it stands; `Deed` has the whole story.
    acknowledged_at = models.DateTimeField(null=True, editable=False)
    acknowledged_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    false_alarm_at = models.DateTimeField(null=True, editable=False)
    """When somebody said that it was none."""
    false_alarm_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    # Where it came from on the wire; empty for what the hub itself noticed, and for what has a
    # life: its words are rows of their own.
    epoch = models.BigIntegerField(null=True, editable=False)
    lane = models.CharField(max_length=8, blank=True, editable=False)
    seq = models.BigIntegerField(null=True, editable=False)

    class Meta:
        ordering = ("-occurred_at",)
        constraints = (
            models.UniqueConstraint(fields=("agent", "epoch", "lane", "seq"), name="event_once"),
            models.UniqueConstraint(fields=("agent", "event_id"), name="event_life_once"),
        )
        indexes = (
            models.Index(fields=("organization", "-occurred_at"), name="event_newest_first"),
            models.Index(fields=("camera", "-occurred_at"), name="event_of_camera"),
            models.Index(
                fields=("organization", "-occurred_at"),
                condition=models.Q(state="running"),
                name="event_running",
            ),
            models.Index(
                fields=("organization", "-occurred_at"),
                condition=models.Q(acknowledged_at=None),
                name="event_unacknowledged",
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def lasted(self) -> timedelta | None:
        """Return how long it was, once it is over."""
        if self.ended_at is None:
            return None
        return max(self.ended_at - self.occurred_at, timedelta(0))


class Word(models.Model):
    """One word of an event's life: kept to be read, and so that it counts once."""

    class Phase(models.TextChoices):
        ONCE = "once", "Happened"
        START = "start", "Started"
        UPDATE = "update", "Went on"
        END = "end", "Ended"

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="words")
    phase = models.CharField(max_length=8, choices=Phase)
    said_at = models.DateTimeField()
    title = models.CharField(max_length=MAX_TEXT)
    detail = models.CharField(max_length=MAX_TEXT, blank=True)
    digest = models.CharField(max_length=32, editable=False)
    """Hex of the first 16 bytes of the sha256 of the word without its clip."""

    class Meta:
        ordering = ("said_at", "id")
        constraints = (models.UniqueConstraint(fields=("event", "digest"), name="word_once"),)

    def __str__(self) -> str:
        return f"{self.get_phase_display()}: {self.title}"


class Deed(Owned):
    """What a person did about an event, or said of it; never rewritten."""

    class Kind(models.TextChoices):
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        ACKNOWLEDGEMENT_UNDONE = "unacknowledged", "Acknowledgement taken back"
        FALSE_ALARM = "false_alarm", "Marked as a false alarm"
        FALSE_ALARM_UNDONE = "no_false_alarm", "No false alarm after all"
        COMMENTED = "commented", "Commented"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deeds")
    kind = models.CharField(max_length=16, choices=Kind)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    done_at = models.DateTimeField()
    text = models.CharField(max_length=MAX_TEXT, blank=True)
    """The comment."""

    class Meta:
        ordering = ("done_at", "id")
        indexes = (models.Index(fields=("event", "done_at"), name="deed_of_event"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.by}"


class Clip(Owned):
    """A video of an event: first kept by its agent alone, here once somebody wanted to see it."""

    class State(models.TextChoices):
        KEPT = "kept", "On the agent"
        ASKED = "asked", "Asked for"
        HERE = "here", "Here"
        GONE = "gone", "Gone"

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="clips")
    clip_id = models.UUIDField(editable=False)
    """The agent's name of it."""
    begins_at = models.DateTimeField()
    seconds = models.FloatField()
    n_bytes = models.PositiveBigIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.KEPT)
    reason = models.CharField(max_length=MAX_TEXT, blank=True)
    """Why it is gone, in the agent's words."""
    asked_at = models.DateTimeField(null=True)
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("begins_at", "id")
        constraints = (
            models.UniqueConstraint(fields=("agent", "clip_id"), name="clip_once"),
            models.CheckConstraint(
                condition=models.Q(state="here", blob__isnull=False)
                | (~models.Q(state="here") & models.Q(blob__isnull=True)),
                name="clip_here_has_blob",
            ),
        )
        indexes = (
            models.Index(
                fields=("agent", "asked_at"),
                condition=models.Q(state="asked"),
                name="clip_wanted",
            ),
        )

    def __str__(self) -> str:
        return f"{self.seconds:.0f} s from {self.begins_at:%Y-%m-%d %H:%M:%S}"

    def is_waited_for(self, *, at: datetime) -> bool:
        """Return whether it was asked for, not longer ago than is waited for it."""
        is_asked = self.state == self.State.ASKED and self.asked_at is not None
        return is_asked and self.asked_at is not None and at - self.asked_at < CLIP_PATIENCE
