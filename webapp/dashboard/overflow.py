"""Where a camera's frames were judged, why, and what that cost: for its chart and its facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from django.conf import settings
from django.db.models import Sum
from msgspec import Struct

from processing.wire.camera import OverflowPolicy
from webapp.fleet.models import Camera
from webapp.monitoring.models import OverflowHour, OverflowMeter

OverflowSpan: TypeAlias = Literal["24h", "7d", "30d"]

_HOUR_S: Final = 3600
_LENGTH_AND_STEP_S: Final[dict[OverflowSpan, tuple[int, int]]] = {
    "24h": (86_400, _HOUR_S),
    "7d": (7 * 86_400, _HOUR_S),
    "30d": (30 * 86_400, 86_400),
}
_ROWS: Final[dict[str, tuple[str, ...]]] = {
    "here": ("n_local",),
    "cloud": ("n_cloud",),
    "refused": ("n_refused", "n_failed"),
    "late": ("n_late",),
}
_SUMS: Final = (
    "n_local", "n_cloud", "n_refused", "n_failed", "n_late", "n_saturated", "n_doubtful",
    "n_always", "n_over_budget", "n_bytes", "micros",
)  # fmt: skip
_WHYS: Final = {
    "n_saturated": "the agent had no time",
    "n_doubtful": "the agent was in doubt",
    "n_always": "all were to be sent",
}
_MODES: Final = {
    "off": "None",
    "saturated": "Those that the agent has no time for",
    "doubtful": "Those in which the agent is in doubt",
    "always": "All",
}
_MB: Final = 1e6


class Where(Struct, frozen=True):
    """How many frames went one way, a bucket each."""

    label: str
    total: int
    values: list[int]


class OverflowChart(Struct, frozen=True):
    """What the chart draws."""

    times: list[int]
    """Unix seconds at which each bucket begins."""
    step_s: int
    series: list[Where]
    n_bytes: list[int]
    micros: list[int]


@dataclass(frozen=True, slots=True)
class Spent:
    """What of a day's budget is used; without a limit there is no share."""

    name: str
    words: str
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class OverflowFacts:
    """How it is today, and just now."""

    mode: str
    """In words."""
    is_on: bool
    reason: str
    """Why the cloud is not used just now; empty if it is, or if nobody knows."""
    n_today: int
    n_here_today: int
    whys: list[tuple[str, int]]
    n_over_budget: int
    spent: list[Spent]


def has_overflow(camera: Camera) -> bool:
    """Return whether there is anything to show."""
    is_on = camera.desired().overflow.mode != "off"
    return is_on or OverflowMeter.objects.filter(camera=camera).exists()


def overflow_chart(camera: Camera, *, span: OverflowSpan, at: datetime) -> OverflowChart:
    """Return where frames were judged, a bucket of the span each."""
    length_s, step_s = _LENGTH_AND_STEP_S[span]
    end_s = int(at.timestamp()) // step_s * step_s + step_s
    times = list(range(end_s - length_s, end_s, step_s))
    buckets = {time: dict.fromkeys(_SUMS, 0) for time in times}
    hours = OverflowHour.objects.filter(
        camera=camera, begins_at__gte=datetime.fromtimestamp(times[0], UTC)
    ).values("begins_at", *_SUMS)
    for hour in hours:
        bucket = buckets.get(int(hour["begins_at"].timestamp()) // step_s * step_s)
        if bucket is not None:
            for name in _SUMS:
                bucket[name] += hour[name]
    values = {
        label: [sum(bucket[name] for name in names) for bucket in buckets.values()]
        for label, names in _ROWS.items()
    }
    return OverflowChart(
        times=times,
        step_s=step_s,
        series=[Where(label, sum(row), row) for label, row in values.items()],
        n_bytes=[bucket["n_bytes"] for bucket in buckets.values()],
        micros=[bucket["micros"] for bucket in buckets.values()],
    )


def overflow_facts(camera: Camera, *, at: datetime) -> OverflowFacts:
    """Return what the cloud did for a camera since midnight, UTC."""
    policy = camera.desired().overflow
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    hours = OverflowHour.objects.filter(camera=camera, begins_at__gte=midnight)
    today = {name: n or 0 for name, n in hours.aggregate(**{n: Sum(n) for n in _SUMS}).items()}
    is_on = policy.mode != "off"
    return OverflowFacts(
        mode=_MODES[policy.mode],
        is_on=is_on,
        reason=_reason(camera, policy, at=at),
        n_today=today["n_cloud"],
        n_here_today=today["n_local"],
        whys=[(words, today[name]) for name, words in _WHYS.items() if today[name]],
        n_over_budget=today["n_over_budget"],
        spent=_spent(policy, today),
    )


def _reason(camera: Camera, policy: OverflowPolicy, *, at: datetime) -> str:
    if policy.mode == "off":
        return ""
    if not settings.TIER_URL:
        return "This hub has no inference tier."
    if camera.desired().privacy.hides_faces:
        return "Faces are hidden: pictures of this camera stay on the agent."
    if not camera.agent.is_online(at=at):
        return "The agent is offline."
    meter = OverflowMeter.objects.filter(camera=camera).first()
    if meter is None:
        return "The agent has not said anything about it yet."
    reason = meter.reason.rstrip(".")  # some of it may be the tier's words
    return f"{reason[:1].upper()}{reason[1:]}." if reason else ""


def _spent(policy: OverflowPolicy, today: Mapping[str, int]) -> list[Spent]:
    megabytes, money = today["n_bytes"] / _MB, today["micros"] / _MB
    spent = [_of_limit("Sent", megabytes, policy.mb_per_day, " MB", digits=1)]
    if money or policy.money_per_day is not None:
        spent.append(_of_limit("Cost", money, policy.money_per_day, "", digits=2))
    return spent


def _of_limit(name: str, used: float, limit: float | None, unit: str, *, digits: int) -> Spent:
    if limit is None:
        return Spent(name, f"{used:,.{digits}f}{unit}")
    percent = min(100, round(100 * used / limit)) if limit else 100
    return Spent(name, f"{used:,.{digits}f} of {limit:,.{digits}f}{unit}", percent)
