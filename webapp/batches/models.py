"""Pictures that a bundle is to look at, in shards, and which bundles the workers have.

What came of a shard is one file of the store, which its row names, and not a row a picture: a
million pictures are 8,000 rows and as many files, written once each, instead of a million rows with
their indexes. That a picture is judged exactly once follows from it: the file holds all outcomes of
the shard in the order of its items, and is named by a row that only the attempt may write which
holds the shard.
"""

from typing import ClassVar

from django.db import models

from processing.wire.limits import MAX_NAME, MAX_TEXT
from webapp.accounts.models import User
from webapp.accounts.tenancy import Owned
from webapp.jobs.models import Job
from webapp.media.models import Blob


class WorkerBundle(models.Model):
    """A bundle in the workers' folder, and when a worker last said so. For all organizations."""

    digest = models.CharField(max_length=32, primary_key=True)
    """Hex of the first 16 bytes of the sha256 of its manifest."""
    name = models.CharField(max_length=MAX_NAME)
    version = models.CharField(max_length=MAX_NAME)
    labels = models.JSONField(default=list)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ("name", "-version")

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Batch(Owned):
    """Pictures, the bundle that looks at them, and how far it is."""

    class Source(models.TextChoices):
        UPLOAD = "upload", "An upload"
        FOLDER = "folder", "A folder of the store"
        SAMPLES = "samples", "Pictures that cameras kept"

    class State(models.TextChoices):
        AWAITED = "awaited", "Being sent"
        PREPARING = "preparing", "Being prepared"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    MOVES: ClassVar[dict[str, set[str]]] = {
        State.AWAITED: {State.PREPARING, State.CANCELLED},
        State.PREPARING: {State.RUNNING, State.FAILED, State.CANCELLED},
        State.RUNNING: {State.PAUSED, State.DONE, State.FAILED, State.CANCELLED},
        State.PAUSED: {State.RUNNING, State.CANCELLED},
        State.DONE: {State.RUNNING},
        State.FAILED: {State.RUNNING, State.PREPARING},
        State.CANCELLED: set(),
    }

    name = models.CharField(max_length=MAX_NAME)
    source = models.CharField(max_length=16, choices=Source)
    wanted = models.JSONField(default=dict)
    """Which pictures, in the words of the source, see `webapp.batches.sources`."""
    file = models.ForeignKey(Blob, on_delete=models.PROTECT, null=True, related_name="+")
    """The archive or the picture that was sent."""
    state = models.CharField(max_length=16, choices=State)
    bundle = models.CharField(max_length=32)
    """Digest; the row of `WorkerBundle` may go, what is said of it here stays."""
    bundle_name = models.CharField(max_length=2 * MAX_NAME + 1)
    labels = models.JSONField(default=list)
    min_score = models.FloatField()
    is_shadow = models.BooleanField(default=False)
    """Samples in which it sees other things than the bundle that judged them go to review."""
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    began_at = models.DateTimeField(null=True)
    """When its list of pictures was made, which never changes afterwards."""
    going_since = models.DateTimeField(null=True)
    """When judging began, or began again after a pause or an end."""
    n_done_before = models.PositiveIntegerField(default=0)
    """Pictures that were judged then."""
    finished_at = models.DateTimeField(null=True)
    preparing = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    n_items = models.PositiveIntegerField(default=0)
    n_done = models.PositiveIntegerField(default=0)
    """Pictures of the shards that are done, those that failed among them."""
    n_failed = models.PositiveIntegerField(default=0)
    n_found = models.PositiveBigIntegerField(default=0)
    """Detections."""
    counts = models.JSONField(default=dict)
    """Detections by class."""
    notes = models.JSONField(default=list)
    """What was left out when the list was made, in words."""
    error = models.CharField(max_length=MAX_TEXT, blank=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(min_score__gte=0, min_score__lte=1),
                name="batch_score_is_a_share",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_over(self) -> bool:
        return self.state in {self.State.DONE, self.State.FAILED, self.State.CANCELLED}

    def may_become(self, state: State) -> bool:
        """Return whether this move is one of `MOVES`."""
        return state in self.MOVES[self.state]


class Shard(Owned):
    """Some consecutive pictures of a batch, judged as one."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="shards")
    first = models.PositiveIntegerField()
    """Number of its first picture, from 0."""
    n_items = models.PositiveIntegerField()
    items = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    """See `processing.wire.batch`."""
    results = models.ForeignKey(Blob, on_delete=models.PROTECT, null=True, related_name="+")
    """The outcomes; of a shard that is judged again, those so far."""
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    """Who holds it while it runs: only that job's newest attempt may write it."""
    n_begun = models.PositiveIntegerField(default=0)
    """Attempts that began it and never ended: their worker died."""
    n_done = models.PositiveIntegerField(default=0)
    n_failed = models.PositiveIntegerField(default=0)
    n_found = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    """Detections by the bundle's number of their class."""

    class Meta:
        ordering = ("first",)
        constraints = (models.UniqueConstraint(fields=("batch", "first"), name="shard_once"),)
        indexes = (models.Index(fields=("batch", "state", "first"), name="shard_to_do"),)

    def __str__(self) -> str:
        return f"{self.first}..{self.first + self.n_items - 1}"
