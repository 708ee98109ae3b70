"""What a person is told about: from agents, and from the hub about them."""

from django.db import models

from processing.wire.limits import MAX_NAME, MAX_TEXT
from webapp.accounts.tenancy import Owned
from webapp.fleet.models import Agent, Camera


class Event(Owned):
    """One thing that happened."""

    class Severity(models.TextChoices):
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        ERROR = "error", "Error"

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, null=True, related_name="events")
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, null=True, related_name="events")
    kind = models.CharField(max_length=MAX_NAME)
    severity = models.CharField(max_length=8, choices=Severity)
    title = models.CharField(max_length=MAX_TEXT)
    detail = models.CharField(max_length=MAX_TEXT, blank=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()

    # Where it came from on the wire; empty for what the hub itself noticed.
    epoch = models.BigIntegerField(null=True, editable=False)
    lane = models.CharField(max_length=8, blank=True, editable=False)
    seq = models.BigIntegerField(null=True, editable=False)

    class Meta:
        ordering = ("-occurred_at",)
        constraints = (
            models.UniqueConstraint(fields=("agent", "epoch", "lane", "seq"), name="event_once"),
        )
        indexes = (
            models.Index(fields=("organization", "-occurred_at"), name="event_newest_first"),
        )

    def __str__(self) -> str:
        return self.title
