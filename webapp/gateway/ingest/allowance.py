"""How much agents may send: token buckets, one for each agent and one for its organization.

Who sends more is slowed and loses nothing: its batches are taken later, so its acknowledgements
come later, so it sends later.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

BURST_S: Final = 10.0
"""Seconds' worth that may come at once, after a pause."""
ALERTS_SHARE: Final = 0.1
"""Of the rate: as many alerts and events may come besides, so that results never use theirs up."""
MOST_HOLD_S: Final = 12.0
"""Nothing waits longer: an agent that hears nothing for 30 s takes the hub for dead."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Entries a second; 0 is no limit."""

    agent_per_s: float
    organization_per_s: float


class Bucket:
    """Tokens that come at a rate, up to `BURST_S` of it; it goes into debt, and says how deep."""

    def __init__(self, per_s: float, *, at: datetime) -> None:
        self._per_s = per_s
        self._tokens = per_s * BURST_S
        self._at = at

    def take(self, n: int, *, per_s: float, at: datetime) -> float:
        """Take `n` tokens at a rate that may be another than before; return seconds of debt."""
        if per_s <= 0.0:
            return 0.0
        passed_s = max(0.0, (at - self._at).total_seconds())
        gained = self._tokens + passed_s * self._per_s
        self._per_s, self._at = per_s, at
        # Debt beyond what anybody is held for is forgiven, or a pause would not help.
        least = -per_s * MOST_HOLD_S
        self._tokens = max(least, min(gained, per_s * BURST_S) - n)
        return max(0.0, -self._tokens / per_s)

    def is_full(self, *, at: datetime) -> bool:
        """Return whether it was left alone for long enough."""
        passed_s = (at - self._at).total_seconds()
        return self._tokens + passed_s * self._per_s >= self._per_s * BURST_S


@dataclass(frozen=True, slots=True)
class Limit:
    """What holds an agent back."""

    per_s: float
    is_organizations: bool
    """All agents' together, not this one's."""


@dataclass(frozen=True, slots=True)
class Hold:
    """How long a batch is to wait, and what for."""

    seconds: float
    limit: Limit | None = None


_NO_HOLD: Final = Hold(0.0)


class Allowances:
    """The buckets of the agents that are connected to this process; on the event loop."""

    def __init__(self, usual: Limits) -> None:
        self.usual = usual
        self._limits: dict[UUID, Limits] = {}
        self._buckets: dict[tuple[UUID, bool], Bucket] = {}

    def limit(self, limits: dict[UUID, Limits]) -> None:
        """Have organizations their own limits; those not named have the usual."""
        self._limits = limits

    def forget_idle(self, *, at: datetime) -> None:
        """Drop the buckets that are full again: a new one is no different."""
        idle = [key for key, bucket in self._buckets.items() if bucket.is_full(at=at)]
        for key in idle:
            del self._buckets[key]

    def take(
        self, agent_id: UUID, organization_id: UUID, n: int, *, is_alerts: bool, at: datetime
    ) -> Hold:
        """Count `n` entries; return how long they are to wait for their turn."""
        limits = self._limits.get(organization_id, self.usual)
        share = ALERTS_SHARE if is_alerts else 1.0
        agent_per_s, all_per_s = limits.agent_per_s * share, limits.organization_per_s * share
        agent_s = self._take(agent_id, n, is_alerts, agent_per_s, at)
        all_s = self._take(organization_id, n, is_alerts, all_per_s, at)
        if not agent_s and not all_s:
            return _NO_HOLD
        if all_s > agent_s:
            return Hold(all_s, Limit(all_per_s, is_organizations=True))
        return Hold(agent_s, Limit(agent_per_s, is_organizations=False))

    def _take(self, owner_id: UUID, n: int, is_alerts: bool, per_s: float, at: datetime) -> float:  # noqa: FBT001 - private, and part of a key
        bucket = self._buckets.get((owner_id, is_alerts))
        if bucket is None:
            bucket = self._buckets[owner_id, is_alerts] = Bucket(per_s, at=at)
        return bucket.take(n, per_s=per_s, at=at)
