"""The rows of background work: what is to be done, how far it is, and who holds it until when."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models

from webapp.accounts.models import User
from webapp.accounts.tenancy import Owned
from webapp.common.ids import uuid7


class Job(Owned):
    """A durable unit of background work."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    MOVES: ClassVar[dict[str, set[str]]] = {
        State.WAITING: {State.RUNNING, State.CANCELLED},
        State.RUNNING: {State.WAITING, State.DONE, State.FAILED, State.CANCELLED},
        State.DONE: set(),
        State.FAILED: {State.WAITING},
        State.CANCELLED: set(),
    }

    kind = models.CharField(max_length=64)
    """Name of the task that does it, see `webapp.jobs.actions.enqueue_job`."""
    title = models.CharField(max_length=200, blank=True)
    """What people call it; empty: made from `kind`."""
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    """Set while it waits to be tried again: not before."""
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    """Fencing token: only the newest attempt may write."""
    delivery = models.UUIDField(null=True, editable=False)
    """The row of django-tasks that carries this job to a worker."""
    lease_expires_at = models.DateTimeField(null=True)
    """A running job whose lease ran out has lost its worker; a sweep starts it again."""
    n_done = models.PositiveBigIntegerField(default=0)
    n_total = models.PositiveBigIntegerField(default=0)
    rate = models.FloatField(null=True)
    """Units done a second, lately."""
    checkpoint = models.JSONField(default=dict)
    """Where its task goes on after a failure or a lost worker; only the task reads it."""
    n_failures = models.PositiveIntegerField(default=0)
    """Times that it failed and was tried again, since it last came further."""
    n_lost = models.PositiveIntegerField(default=0)
    """Times that its worker died, since it last came further."""
    is_cancel_wanted = models.BooleanField(default=False)
    error = models.CharField(max_length=2000, blank=True)
    result = models.JSONField(default=dict)

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("state", "lease_expires_at"), name="job_overdue"),
            models.Index(
                fields=("organization", "-id"),
                condition=models.Q(created_by__isnull=False),
                name="job_asked_for",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"

    @property
    def is_finished(self) -> bool:
        return self.state in {self.State.DONE, self.State.FAILED, self.State.CANCELLED}

    @property
    def name(self) -> str:
        return self.title or self.kind.replace("_", " ").replace(".", ": ").capitalize()

    @property
    def priority(self) -> int:
        """What a person waits for goes before what the hub wants done; -100..100."""
        return 10 if self.created_by_id is not None else 0

    @property
    def time_left(self) -> timedelta | None:
        """How long a running job still takes at its rate; None when nobody can tell."""
        if self.state != self.State.RUNNING or not self.rate or self.n_done >= self.n_total:
            return None
        return timedelta(seconds=min((self.n_total - self.n_done) / self.rate, 1e7))

    def lasted(self, *, at: datetime) -> timedelta | None:
        """Return how long it took, or takes up to now; None before it started."""
        if self.started_at is None:
            return None
        return max((self.finished_at or at) - self.started_at, timedelta())


class Schedule(models.Model):
    """Periodic work of the hub itself: when it is done next. It serves all organizations."""

    kind = models.CharField(max_length=64, primary_key=True)
    title = models.CharField(max_length=200)
    every_s = models.FloatField()
    declared_at = models.DateTimeField()
    """When a worker last said that it knows this work."""
    next_at = models.DateTimeField()
    turn = models.PositiveBigIntegerField(default=0)
    """Fencing token: only the newest turn may write."""
    lease_expires_at = models.DateTimeField(null=True)
    """Set while a turn is under way; one whose lease ran out has lost its worker."""
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    took_s = models.FloatField(null=True)
    n_done = models.PositiveBigIntegerField(default=0)
    n_total = models.PositiveBigIntegerField(default=0)
    n_failures = models.PositiveIntegerField(default=0)
    """In a row, up to now."""
    error = models.CharField(max_length=2000, blank=True)

    class Meta:
        ordering = ("kind",)

    def __str__(self) -> str:
        return self.kind


class Worker(models.Model):
    """A worker process, and when it was last heard of. It serves all organizations."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)
