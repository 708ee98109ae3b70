"""What was used, added up: by hour for the chart, by key for the bars."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from django.db.models import F, Sum

from webapp.accounts.models import Role, User
from webapp.accounts.tenancy import OwnedQuerySet
from webapp.fleet.models import Agent
from webapp.inference.grants import n_answered_today
from webapp.inference.models import ApiKey, UsageHour

Span = Literal["24h", "7d", "30d"]
Outcome = Literal["answered", "refused", "late", "failed", "bad"]

OUTCOMES: Final[tuple[Outcome, ...]] = ("answered", "refused", "late", "failed", "bad")
_HOUR: Final = timedelta(hours=1)
_LONG_S: Final = 120
_SPANS: Final[dict[Span, tuple[timedelta, timedelta]]] = {
    "24h": (timedelta(hours=24), _HOUR),
    "7d": (timedelta(days=7), _HOUR),
    "30d": (timedelta(days=30), timedelta(days=1)),
}
MOST_USERS: Final = 20
"""Of keys, agents and people that are shown one by one."""


@dataclass(frozen=True, slots=True)
class Series:
    label: str
    values: list[int]
    total: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """Pictures by how it went, in buckets of time."""

    step_s: int
    times: list[int]
    """Unix seconds at which each bucket begins."""
    series: list[Series]


@dataclass(frozen=True, slots=True)
class Used:
    """What one key, agent or person had judged."""

    name: str
    kind: str
    n_answered: int
    n_turned_away: int
    """Refused and late."""
    n_bytes: int
    busy_ms: float
    share: float
    """Of what the first of them had answered, 0..1."""

    @property
    def busy_words(self) -> str:
        """Return how long it kept tiers at work, as people read it."""
        seconds = self.busy_ms / 1000
        return f"{seconds / 60:.0f} min" if seconds >= _LONG_S else f"{seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as it is listed."""

    key: ApiKey
    n_today: int

    @property
    def percent_today(self) -> int:
        """Return how much of the day's quota is used."""
        most = self.key.pictures_per_day
        return min(100, round(100 * self.n_today / most)) if most else 100


def traffic(actor: User, *, span: Span, at: datetime) -> Traffic:
    """Return how the pictures of the actor's organizations fared."""
    length, step = _SPANS[span]
    end_s = (at.timestamp() // step.total_seconds() + 1) * step.total_seconds()
    step_s = int(step.total_seconds())
    n_buckets = length // step
    begin_s = int(end_s) - n_buckets * step_s
    sums = {f"sum_{outcome}": Sum(f"n_{outcome}") for outcome in OUTCOMES}
    mine = _mine(actor, datetime.fromtimestamp(begin_s, at.tzinfo))
    values: dict[Outcome, list[int]] = {outcome: [0] * n_buckets for outcome in OUTCOMES}
    for hour_at, *counted in mine.values_list("hour_at").annotate(**sums):
        bucket = int(hour_at.timestamp() - begin_s) // step_s
        if bucket < n_buckets:
            for outcome, n_pictures in zip(OUTCOMES, counted, strict=True):
                values[outcome][bucket] += n_pictures
    return Traffic(
        step_s=step_s,
        times=[begin_s + step_s * n for n in range(n_buckets)],
        series=[
            Series(outcome, counted, sum(counted))
            for outcome, counted in values.items()
            if outcome == "answered" or any(counted)
        ],
    )


def used_by(actor: User, *, since: datetime) -> list[Used]:
    """Return who had most answered since then, most first."""
    grouped = (
        _mine(actor, since)
        .values_list("grant_id", "kind")
        .annotate(
            answered=Sum("n_answered"),
            turned_away=Sum(F("n_refused") + F("n_late")),
            size=Sum("n_bytes"),
            busy=Sum("busy_ms"),
        )
    )
    rows = list(grouped.order_by("-answered", "grant_id")[:MOST_USERS])
    names = _names(actor, [grant_id for grant_id, *_ in rows])
    most = max((answered for _, _, answered, *_ in rows), default=0)
    return [
        Used(
            name=names.get(grant_id, "Removed"),
            kind=kind,
            n_answered=answered,
            n_turned_away=turned_away,
            n_bytes=size,
            busy_ms=busy,
            share=answered / most if most else 0.0,
        )
        for grant_id, kind, answered, turned_away, size, busy in rows
    ]


def key_rows(actor: User, *, at: datetime) -> list[KeyRow]:
    """Return the keys that an actor administers, those in use first, newest first."""
    mine = ApiKey.objects.for_actor(actor, Role.ADMIN).select_related("organization", "created_by")
    keys = sorted(mine, key=lambda key: key.revoked_at is not None)
    today = n_answered_today([key.pk for key in keys], at=at)
    return [KeyRow(key, today.get(key.pk, 0)) for key in keys]


def _mine(actor: User, since: datetime) -> OwnedQuerySet[UsageHour]:
    return UsageHour.objects.for_actor(actor, Role.OPERATOR).filter(hour_at__gte=since).order_by()


def _names(actor: User, grant_ids: Iterable[UUID]) -> dict[UUID, str]:
    ids = list(grant_ids)
    keys = ApiKey.objects.for_actor(actor, Role.OPERATOR).filter(pk__in=ids)
    agents = Agent.objects.for_actor(actor, Role.OPERATOR).filter(pk__in=ids)
    people = User.objects.filter(
        pk__in=ids, memberships__organization__memberships__user=actor
    ).distinct()
    return {
        **dict(keys.values_list("pk", "name")),
        **dict(agents.values_list("pk", "name")),
        **{user.pk: user.get_username() for user in people},
    }
