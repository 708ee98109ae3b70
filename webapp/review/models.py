"""Work for labelers: queues, items, who holds one until when, and what came of it."""

from datetime import datetime, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from processing.wire.limits import MAX_TEXT
from webapp.accounts.models import User
from webapp.accounts.tenancy import Owned
from webapp.datasets.models import Annotation, Sample

LEASE = timedelta(minutes=10)
"""How long an item is one labeler's; every sign of life renews it."""

PREPARED_LEASE = timedelta(minutes=2)
"""How long an item fetched ahead waits for its labeler to come to it."""

PASS_PAUSE = timedelta(hours=8)
"""How long an item that a labeler passed on stays out of that labeler's way."""

MAX_LABELERS = 9
"""Of one item."""


class Team(Owned):
    """People of an organization who share work."""

    name = models.CharField(max_length=200)
    members = models.ManyToManyField(User, related_name="teams", blank=True)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("organization", "name"), name="team_name_once"),
        )

    def __str__(self) -> str:
        return self.name


class ReviewQueue(Owned):
    """A named pile of items, and how good what comes of it must be."""

    name = models.CharField(max_length=200)
    policy = models.JSONField(default=dict, blank=True)
    """A `webapp.review.policies.SelectionPolicy`; what is absent has its default."""
    labelers = models.ForeignKey(
        Team,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who works on it; empty: every labeler.",
    )
    checkers = models.ForeignKey(
        Team,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who checks and settles disagreements, besides the admins.",
    )
    n_labelers = models.PositiveSmallIntegerField(
        default=1,
        validators=(MinValueValidator(1), MaxValueValidator(MAX_LABELERS)),
        help_text="How many decide each new item, none of them seeing what another did.",
    )
    agreement_iou = models.FloatField(
        default=0.5,
        validators=(MinValueValidator(0.1), MaxValueValidator(0.95)),
        help_text="How far two boxes must overlap to be the same thing, 0.1 to 0.95.",
    )
    checked_share = models.FloatField(
        default=0.0,
        validators=(MinValueValidator(0.0), MaxValueValidator(1.0)),
        help_text="Of what labelers decided, how much is checked, 0 to 1.",
    )
    gold_share = models.FloatField(
        default=0.1,
        validators=(MinValueValidator(0.0), MaxValueValidator(0.5)),
        help_text="Of what a labeler is given, how much has a known answer, 0 to 0.5; for who got "
        "one wrong lately, half.",
    )
    tolerated_error = models.FloatField(
        default=0.05,
        validators=(MinValueValidator(0.005), MaxValueValidator(0.2)),
        help_text="What a good labeler may get wrong, 0.005 to 0.2; who is worse is flagged.",
    )
    due_after_s = models.PositiveIntegerField(
        null=True, blank=True, help_text="When a new item is due, in seconds; empty: never."
    )

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("organization", "name"), name="queue_name_once"),
        )

    def __str__(self) -> str:
        return self.name


class ReviewItem(Owned):
    """One sample to be looked at: by one person, or by several who do not see each other's work."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DISPUTED = "disputed", "Labelers disagree"
        CHECKING = "checking", "Waits for its check"
        DONE = "done", "Done"
        AMBIGUOUS = "ambiguous", "Nobody can tell"

    queue = models.ForeignKey(ReviewQueue, on_delete=models.CASCADE, related_name="items")
    sample = models.OneToOneField(Sample, on_delete=models.CASCADE, related_name="review_item")
    state = models.CharField(max_length=16, choices=State, default=State.OPEN)
    reason = models.CharField(max_length=24, blank=True)
    """Why it was picked: a `Sample.Reason`."""
    figure = models.FloatField(null=True)
    """The figure behind the reason."""
    why = models.CharField(max_length=500, blank=True)
    """The reason in words, with the figure."""
    priority = models.FloatField(default=0.0)
    """Higher comes first."""
    due_at = models.DateTimeField(null=True)
    """What is overdue comes before all else."""
    assignee = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    """Whose alone it is; None: the team's, or everybody's."""
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, related_name="+")
    n_labelers = models.PositiveSmallIntegerField(default=1)
    """How many decide it: its queue's number when it was opened."""
    n_decided = models.PositiveSmallIntegerField(default=0)
    """How many have: its standing verdicts."""
    agreement = models.FloatField(null=True)
    """How far its labelers agree, 0..1: the mean F1 of their pairs; None for one labeler."""
    is_returned = models.BooleanField(default=False)
    """A checker sent it back: it is for those alone who decided it."""
    created_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=0)
    """Rises when it changes for those who hold it; a save that names another one is a 409."""

    class Meta:
        ordering = ("-priority", "created_at")
        indexes = (
            models.Index(fields=("queue", "state", "-priority"), name="review_next"),
            models.Index(
                fields=("queue", "due_at"), condition=models.Q(state="open"), name="review_due"
            ),
        )

    def __str__(self) -> str:
        return f"{self.sample} ({self.state})"


class GoldAnswer(Owned):
    """A known answer: its decided item is shown to labelers again, as if it were open."""

    item = models.OneToOneField(ReviewItem, on_delete=models.CASCADE, related_name="gold")
    annotation = models.ForeignKey(Annotation, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=MAX_TEXT, blank=True)
    """What labelers are told once they have answered."""
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    """From then on nobody new is shown it."""

    def __str__(self) -> str:
        return f"Known answer of {self.item}"


class Lease(Owned):
    """Who holds an item until when. Expiry is read-time: nothing needs to clean up."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="leases")
    holder = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    is_prepared = models.BooleanField(default=False)
    """Fetched ahead of need: short, and no work until the labeler opens it."""
    seen_at = models.DateTimeField()
    """The last sign of life."""
    active_s = models.FloatField(default=0.0)
    """How long the holder has worked on it: what lies between signs of life close together."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("item", "holder"), name="one_lease_of_each_labeler"),
        )

    def __str__(self) -> str:
        return f"{self.holder} until {self.expires_at:%H:%M:%S}"

    def is_live(self, *, at: datetime) -> bool:
        return self.expires_at > at


class Verdict(Owned):
    """What a labeler decided about an item. It stands until it is undone."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", "Accepted as predicted"
        CORRECTED = "corrected", "Corrected"
        AMBIGUOUS = "ambiguous", "Nobody can tell"
        PASSED = "passed", "Passed to somebody else"
        """Decides nothing: the item stays open, for others."""

    class Undone(models.TextChoices):
        TAKEN_BACK = "taken_back", "Taken back by its labeler"
        SENT_BACK = "sent_back", "Sent back by a checker"
        REVERTED = "reverted", "Reverted with all of its labeler's work"

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="verdicts")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    outcome = models.CharField(max_length=16, choices=Outcome)
    annotation = models.ForeignKey(
        Annotation, on_delete=models.PROTECT, null=True, related_name="+"
    )
    """The boxes as this labeler left them; the truth only once the item is settled."""
    findings = models.JSONField(default=dict)
    """What was right and wrong of the predictions, see `webapp.review.findings`."""
    is_gold = models.BooleanField(default=False)
    """An answer where the true one is known: it is judged, and decides nothing."""
    created_at = models.DateTimeField()
    seconds = models.FloatField(null=True)
    """Time at work on it, measured by the hub; None when the labeler had not claimed the item."""
    agreement = models.FloatField(null=True)
    """How far the item's other labelers agree with it, 0..1: the mean F1; None without any."""
    error = models.FloatField(null=True)
    """How much of it proved wrong, 0..1, once the truth was known from elsewhere."""
    judged_at = models.DateTimeField(null=True)
    """When that was."""
    undone_at = models.DateTimeField(null=True)
    """It does not stand any more, but stays as history."""
    undone_as = models.CharField(max_length=16, choices=Undone, blank=True)
    undone_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("item", "by"),
                condition=models.Q(undone_at=None) & ~models.Q(outcome="passed"),
                name="labeler_decides_once",
            ),
        )
        indexes = (
            models.Index(fields=("by", "-created_at"), name="verdict_by_labeler"),
            models.Index(
                fields=("by", "judged_at"),
                condition=models.Q(judged_at__isnull=False),
                name="verdict_judged",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} by {self.by}"


class Check(Owned):
    """What a checker said of a verdict; it stays when the verdict is undone by it."""

    class Decision(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        FIXED = "fixed", "Fixed by the checker"
        REJECTED = "rejected", "Sent back"

    class Reason(models.TextChoices):
        MISSED = "missed", "Something was missed"
        FALSE = "false", "Something is not there"
        WRONG_CLASS = "wrong_class", "Wrong class"
        WRONG_BOX = "wrong_box", "Box in the wrong place"
        OTHER = "other", "Something else"

    verdict = models.OneToOneField(Verdict, on_delete=models.CASCADE, related_name="check_of_it")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    decision = models.CharField(max_length=16, choices=Decision)
    reasons = models.JSONField(default=list)
    """Values of `Reason`."""
    comment = models.CharField(max_length=MAX_TEXT, blank=True)
    findings = models.JSONField(default=dict)
    """What the checker found of the predictions where they settled it, as of `Verdict.findings`."""
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.get_decision_display()} by {self.by}"


class LabelerFlag(Owned):
    """A labeler whose work in a queue proved worse than is tolerated, until somebody closes it."""

    queue = models.ForeignKey(ReviewQueue, on_delete=models.CASCADE, related_name="flags")
    labeler = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    raised_at = models.DateTimeField()
    n_judged = models.PositiveIntegerField()
    """Verdicts that it rests on."""
    mean_error = models.FloatField()
    """Theirs, 0..1."""
    closed_at = models.DateTimeField(null=True)
    """Somebody has dealt with it; what is judged from then on counts anew."""
    closed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("-raised_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("queue", "labeler"),
                condition=models.Q(closed_at=None),
                name="one_open_flag_of_each_labeler",
            ),
        )

    def __str__(self) -> str:
        return f"{self.labeler}: {self.mean_error:.0%} wrong"


class LabelerKeys(Owned):
    """The keys of the editor as one labeler has them."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    keys = models.JSONField(default=dict)
    """Deed -> its combinations; what is absent has its default."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organization", "user"), name="keys_of_each_labeler"),
        )

    def __str__(self) -> str:
        return f"Keys of {self.user}"


class Webhook(Owned):
    """An address of somebody else's that is told of every settled item."""

    url = models.CharField(max_length=500)
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, editable=False)
    """When it was last tried."""
    status = models.PositiveSmallIntegerField(null=True, editable=False)
    """The last answer's; None where none came."""
    error = models.CharField(max_length=300, blank=True, editable=False)
    """Why the last try failed, in words; empty: it went well."""
    n_told = models.PositiveBigIntegerField(default=0, editable=False)
    n_failures = models.PositiveIntegerField(default=0, editable=False)
    """In a row, up to now."""

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.url
