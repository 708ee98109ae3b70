"""Work for labelers: queues, items, who holds one until when, and what came of it."""

from datetime import datetime, timedelta

from django.db import models

from webapp.accounts.models import User
from webapp.accounts.tenancy import Owned
from webapp.datasets.models import Annotation, Sample

LEASE = timedelta(minutes=10)
"""How long an item is one labeler's; every sign of life renews it."""

PREPARED_LEASE = timedelta(minutes=2)
"""How long an item fetched ahead waits for its labeler to come to it."""

PASS_PAUSE = timedelta(hours=8)
"""How long an item that a labeler passed on stays out of that labeler's way."""


class ReviewQueue(Owned):
    """A named pile of items; an organization has one to begin with."""

    name = models.CharField(max_length=200)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("organization", "name"), name="queue_name_once"),
        )

    def __str__(self) -> str:
        return self.name


class ReviewItem(Owned):
    """One sample to be looked at by one person."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"
        AMBIGUOUS = "ambiguous", "Nobody can tell"

    queue = models.ForeignKey(ReviewQueue, on_delete=models.CASCADE, related_name="items")
    sample = models.OneToOneField(Sample, on_delete=models.CASCADE, related_name="review_item")
    state = models.CharField(max_length=16, choices=State, default=State.OPEN)
    priority = models.FloatField(default=0.0)
    """Higher comes first."""
    created_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=0)
    """Rises with every write; a save that names another one is a conflict (409)."""

    class Meta:
        ordering = ("-priority", "created_at")
        indexes = (models.Index(fields=("queue", "state", "-priority"), name="review_next"),)

    def __str__(self) -> str:
        return f"{self.sample} ({self.state})"


class Lease(Owned):
    """Who holds an item until when. Expiry is read-time: nothing needs to clean up."""

    item = models.OneToOneField(ReviewItem, on_delete=models.CASCADE, related_name="lease")
    holder = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    is_prepared = models.BooleanField(default=False)
    """Fetched ahead of need: short, and no work until the labeler opens it."""

    def __str__(self) -> str:
        return f"{self.holder} until {self.expires_at:%H:%M:%S}"

    def is_live(self, *, at: datetime) -> bool:
        return self.expires_at > at


class Verdict(Owned):
    """What a labeler decided about an item."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", "Accepted as predicted"
        CORRECTED = "corrected", "Corrected"
        AMBIGUOUS = "ambiguous", "Nobody can tell"
        PASSED = "passed", "Passed to somebody else"
        """Decides nothing: the item stays open, for others."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="verdicts")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    outcome = models.CharField(max_length=16, choices=Outcome)
    annotation = models.ForeignKey(
        Annotation, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    seconds = models.FloatField(null=True)
    """From claim to save, measured by the hub; None when the labeler had not claimed the item."""
    undone_at = models.DateTimeField(null=True)
    """Taken back by its labeler; it stays as history."""

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("item",),
                condition=models.Q(undone_at=None) & ~models.Q(outcome="passed"),
                name="item_decided_once",
            ),
        )
        indexes = (models.Index(fields=("by", "-created_at"), name="verdict_by_labeler"),)

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} by {self.by}"
