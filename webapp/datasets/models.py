"""Frames kept for learning, and what models and people say is in them."""

from django.db import models

from processing.wire.limits import MAX_NAME, MAX_TEXT
from webapp.accounts.models import User
from webapp.accounts.tenancy import Owned
from webapp.events.models import Event
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.media.models import Blob


class Sample(Owned):
    """A frame kept for learning, with the reason and what the bundle said of it."""

    class Reason(models.TextChoices):
        LOW_CONFIDENCE = "low_confidence", "Low confidence"
        NEAR_THRESHOLD = "near_threshold", "Near the threshold"
        FLICKER = "flicker", "Comes and goes"
        SHADOW = "shadow", "Another model says otherwise"
        CLOUD = "cloud", "The cloud says otherwise"
        NOVELTY = "novelty", "Unlike what is labelled"
        DRIFT = "drift", "Pictures have changed"
        RARE_CLASS = "rare_class", "Rare class"
        RANDOM = "random", "Random slice"
        FALSE_ALARM = "false_alarm", "False alarm"
        REPORTED = "reported", "Reported by a person"
        IMPORTED = "imported", "Imported"

    class State(models.TextChoices):
        RECEIVED = "received", "Received"
        READY = "ready", "Ready"
        BROKEN = "broken", "Not a readable picture"

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, null=True, related_name="+")
    """None, as camera and bundle, for a picture that was imported."""
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, null=True, related_name="samples")
    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, null=True, related_name="+")
    file_name = models.CharField(max_length=MAX_NAME, blank=True, editable=False)
    """What an imported picture was called."""
    epoch = models.BigIntegerField(null=True, editable=False)
    """Of its entry in the agent's media lane, as `seq`; None for what a person made a sample."""
    seq = models.BigIntegerField(null=True, editable=False)
    event = models.ForeignKey(
        Event, on_delete=models.SET_NULL, null=True, editable=False, related_name="samples"
    )
    """What it is the picture of, where a person made it a sample."""
    note = models.CharField(max_length=MAX_TEXT, blank=True, editable=False)
    """Why it is here, in words, where a person wants it looked at."""
    captured_at = models.DateTimeField()
    received_at = models.DateTimeField()
    reason = models.CharField(max_length=24, choices=Reason)
    """Why it was kept; why labelers are to look at it, its review item says."""
    score = models.FloatField()
    """The figure behind the reason."""
    n_compared = models.PositiveSmallIntegerField(null=True, editable=False)
    """Things that agent and cloud saw together, where the reason is the cloud's; `score` of these
    one of them alone."""
    n_shadowed = models.PositiveSmallIntegerField(null=True, editable=False)
    """Things that its bundle and another saw together, where a batch found that they differ."""
    n_shadowed_alone = models.PositiveSmallIntegerField(null=True, editable=False)
    """Of these, what one of the two alone saw."""
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    picture = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    """As the agent sent it; after the worker's check, re-encoded without metadata."""
    thumbnail = models.ForeignKey(Blob, on_delete=models.PROTECT, null=True, related_name="+")
    predictions = models.BinaryField()
    """Packed, see `processing.wire.packed`; labels are the bundle's."""
    state = models.CharField(max_length=16, choices=State, default=State.RECEIVED)
    fingerprint = models.BigIntegerField(null=True, editable=False)
    """64 bits, nearly the same for nearly the same picture; see `processing.vision.looks`."""
    appearance = models.BinaryField(default=b"", editable=False)
    """What the picture looks like, to tell how far it is from others; empty before its check."""
    embedding = models.BinaryField(null=True, editable=False)
    """Float16, little-endian: what the network of its bundle makes of it; None: it was not said."""
    passed_over = models.CharField(max_length=200, blank=True, editable=False)
    """Why labelers are not asked about it, in words; empty where they are."""

    class Meta:
        ordering = ("-captured_at",)
        constraints = (
            models.UniqueConstraint(fields=("agent", "epoch", "seq"), name="sample_once"),
        )
        indexes = (models.Index(fields=("camera", "-captured_at"), name="sample_newest_first"),)

    def __str__(self) -> str:
        return f"{self.taken_by} at {self.captured_at:%Y-%m-%d %H:%M:%S}"

    @property
    def taken_by(self) -> str:
        """Who took it, for people: its camera, or the file that it was imported from."""
        return self.file_name if self.camera is None else self.camera.name


class Annotation(Owned):
    """A person's truth about a sample: all of its boxes, as of one verdict."""

    sample = models.ForeignKey(Sample, on_delete=models.CASCADE, related_name="annotations")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    boxes = models.JSONField(default=list)
    """A list of `{"xyxy": [x0, y0, x1, y1], "label": name}`, normalised 0..1.

    With `"polygon": [[x, y], ...]` where its outline was drawn; `xyxy` then bounds it.
    """
    classes = models.JSONField(default=list)
    """Labels of the picture as a whole."""
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


class Label(Owned):
    """A class by its name, with a number that is its own for good: files of other tools use it."""

    name = models.CharField(max_length=MAX_NAME)
    number = models.PositiveIntegerField()
    """From 0, without gaps, in the order in which names were first needed."""

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=("organization", "name"), name="label_name_once"),
            models.UniqueConstraint(fields=("organization", "number"), name="label_number_once"),
        )

    def __str__(self) -> str:
        return self.name
