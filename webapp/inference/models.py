"""API keys, what was used of the tier, the tiers themselves, and what is wanted of them."""

from datetime import datetime, timedelta
from typing import Final

from django.db import models

from processing.wire.tier import REPORT_EVERY_S
from webapp.accounts.models import User
from webapp.accounts.tenancy import Owned

SILENCE: Final = timedelta(seconds=4 * REPORT_EVERY_S)
"""After so long without a report a tier counts as away."""


class ApiKey(Owned):
    """A program's right to have pictures judged; only a hash of it is kept."""

    name = models.CharField(max_length=100)
    shown = models.CharField(max_length=16)
    """How it begins: enough to tell it from others, and no help to whoever guesses."""
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    """`processing.wire.tier.Scope`s."""
    pictures_per_s = models.FloatField(default=10.0)
    burst = models.PositiveIntegerField(default=20)
    pictures_per_day = models.PositiveIntegerField(null=True, blank=True)
    """Answered ones, of a day of UTC; None: no limit."""
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    """When a tier last asked about it, to about a minute."""

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name


class UsageHour(Owned):
    """What one grant had done with one model in one hour of UTC."""

    grant_id = models.UUIDField()
    """Of an API key, an agent, or a user of the hub's own page, as `kind` says."""
    kind = models.CharField(max_length=8)
    model = models.CharField(max_length=64)
    hour_at = models.DateTimeField()
    n_answered = models.PositiveBigIntegerField(default=0)
    n_refused = models.PositiveBigIntegerField(default=0)
    n_late = models.PositiveBigIntegerField(default=0)
    n_failed = models.PositiveBigIntegerField(default=0)
    n_bad = models.PositiveBigIntegerField(default=0)
    """Pictures that were none."""
    n_bytes = models.PositiveBigIntegerField(default=0)
    busy_ms = models.FloatField(default=0.0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "grant_id", "kind", "model", "hour_at"),
                name="usage_hour_once",
            ),
        )
        indexes = (
            models.Index(fields=("hour_at",), name="usage_by_hour"),
            models.Index(fields=("grant_id", "hour_at"), name="usage_by_grant"),
        )

    def __str__(self) -> str:
        return f"{self.model}, {self.hour_at:%Y-%m-%d %H:00}"


class Tier(models.Model):
    """An inference tier that has reported; of the hub, not of an organization."""

    id = models.UUIDField(primary_key=True, editable=False)
    """Made by the tier, kept in its data folder."""
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)
    up_since_at = models.DateTimeField()
    """Of the first report since it was last away."""
    state = models.JSONField(default=dict)
    """Its newest `TierReport`, without what was used."""

    class Meta:
        ordering = ("first_seen_at",)

    def __str__(self) -> str:
        return f"{self.id.hex[:8]}, last seen {self.seen_at:%H:%M:%S}"

    def is_here(self, *, at: datetime) -> bool:
        """Return whether it has been heard of lately."""
        return at - self.seen_at <= SILENCE


class TierBoot(models.Model):
    """How far the reports of one start of a tier are counted."""

    tier = models.ForeignKey(Tier, on_delete=models.CASCADE, related_name="boots")
    boot_id = models.UUIDField()
    number = models.PositiveBigIntegerField()
    """Of the last report; the same or an earlier one is counted already."""
    seen_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tier", "boot_id"), name="tier_boot_once"),)

    def __str__(self) -> str:
        return f"{self.boot_id.hex[:8]} up to {self.number}"


class ServedVersion(models.Model):
    """What operators want of one version of a model; a model without any is served as it comes."""

    model = models.CharField(max_length=64)
    digest = models.CharField(max_length=32)
    """Of the bundle, hexadecimal."""
    weight = models.FloatField()
    """Of the pictures that name no version, how much it takes beside the others; 0: nothing."""
    is_shadow = models.BooleanField()
    changed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ("model", "digest")
        constraints = (
            models.UniqueConstraint(fields=("model", "digest"), name="served_version_once"),
        )

    def __str__(self) -> str:
        return f"{self.model} {self.digest[:8]}"
