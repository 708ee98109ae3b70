"""The Job row: what is to be done, how far it is, and who holds it until when."""

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
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    """Fencing token: only the newest attempt may write."""
    delivery = models.UUIDField(null=True, editable=False)
    """The row of django-tasks that carries this job to a worker."""
    lease_expires_at = models.DateTimeField(null=True)
    """A running job whose lease ran out has lost its worker; a sweep starts it again."""
    n_done = models.PositiveBigIntegerField(default=0)
    n_total = models.PositiveBigIntegerField(default=0)
    is_cancel_wanted = models.BooleanField(default=False)
    error = models.CharField(max_length=2000, blank=True)
    result = models.JSONField(default=dict)

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("state", "lease_expires_at"), name="job_overdue"),)

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"

    @property
    def is_finished(self) -> bool:
        return self.state in {self.State.DONE, self.State.FAILED, self.State.CANCELLED}


class Worker(models.Model):
    """A worker process, and when it was last heard of. It serves all organizations."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)
