"""Whether a camera's pictures are as they should be: pure functions of sketches.

A figure is bad beyond a limit that holds for every camera, or far from what this camera usually has
at this hour. What a camera usually is at this hour is never bad: a yard is dark at night.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal, TypeAlias

from webapp.monitoring.kinds import Kind
from webapp.monitoring.models import Feature
from webapp.monitoring.sketches import Sketch

MIN_DAYS: Final = 3
"""Of fewer days nothing is called usual."""
_SPREADS: Final = 4.0
"""So many spreads of the usual days off is far."""
_LEAST_SPREAD: Final = 0.15
"""Of the figure itself: days can be all alike."""
_TO_DEVIATION: Final = 1.4826
"""From a median absolute deviation to a standard deviation, for what is spread normally."""
_HALF: Final = 0.5
_NEAR: Final = 0.9
"""Of a limit: days that come so near to it are a matter of their own."""
_EASE: Final = 0.1
"""What is bad must be better than its limit by this share before it is good again."""

Side: TypeAlias = Literal["low", "high"]


@dataclass(frozen=True, slots=True)
class Usual:
    """What a feature usually is at an hour of the day."""

    low: float
    high: float
    """What is far from the days' middle begins beyond these."""
    least: float
    most: float
    """The least tenth and the most ninetieth percentile of a day."""
    n_days: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, and why: the figures in words."""

    kind: Kind
    reason: str


@dataclass(frozen=True, slots=True)
class _Limit:
    kind: Kind
    feature: Feature
    side: Side
    hard: float
    name: str
    words: str
    """What a picture beyond the hard limit is like."""
    form: Callable[[float], str]


def _percent(value: float) -> str:
    return f"{value:.0%}" if value >= 0.01 else f"{value:.1%}"  # noqa: PLR2004 - 1 %: a digit more


def _plain(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"  # noqa: PLR2004 - digits that say something


# In the order of what explains what: in the dark there is little contrast, without contrast little
# sharpness.
_LIMITS: Final = (
    _Limit("picture_dark", "brightness", "low", 0.08, "Brightness", "hardly anything is seen",
           _percent),
    _Limit("picture_bright", "brightness", "high", 0.92, "Brightness", "it is dazzled", _percent),
    _Limit("picture_flat", "contrast", "low", 0.04, "Contrast",
           "fog, dirt or something in front of it", _percent),
    _Limit("picture_blurred", "sharpness", "low", 15.0, "Sharpness", "edges are gone", _plain),
    _Limit("picture_noisy", "noise", "high", 12.0, "Noise", "grain hides small things", _plain),
)  # fmt: skip
_LIMIT_OF: Final = {limit.kind: limit for limit in _LIMITS}
JUDGED: Final[tuple[Kind, ...]] = tuple(_LIMIT_OF)
"""The kinds that figures tell."""


def usual_of(days: Sequence[Sketch]) -> Usual | None:
    """Return what is usual, of one sketch a day of the same hour; None of too few days."""
    if len(days) < MIN_DAYS:
        return None
    lows, highs = ([day.quantile(share) for day in days] for share in (0.1, 0.9))
    low, down = _middle_and_spread(lows)
    high, up = _middle_and_spread(highs)
    return Usual(
        low=max(low - _SPREADS * down, 0.0),
        high=high + _SPREADS * up,
        least=min(lows),
        most=max(highs),
        n_days=len(days),
    )


def first_trouble(
    recent: Mapping[Feature, float],
    latest: Mapping[Feature, float],
    usual: Mapping[Feature, Usual],
) -> Trouble | None:
    """Return what is wrong with medians of some minutes and of the last one; the cause only."""
    for limit in _LIMITS:
        mine = usual.get(limit.feature)
        if _is_beyond(limit, recent, mine) and _is_beyond(limit, latest, mine):
            return Trouble(limit.kind, _reason(limit, recent[limit.feature], mine))
    return None


def still_wrong(
    kind: Kind, latest: Mapping[Feature, float], usual: Mapping[Feature, Usual]
) -> bool:
    """Return whether what was wrong is not well within its limits again."""
    limit = _LIMIT_OF[kind]
    return _is_beyond(limit, latest, usual.get(limit.feature), ease=_EASE)


def better_now(kind: Kind, latest: Mapping[Feature, float]) -> str:
    """Return in words what the figure is that was wrong."""
    limit = _LIMIT_OF[kind]
    return f"{limit.name} is {limit.form(latest[limit.feature])} again."


def _middle_and_spread(values: Sequence[float]) -> tuple[float, float]:
    middle = median(values)
    deviation = _TO_DEVIATION * median(abs(value - middle) for value in values)
    return middle, max(deviation, _LEAST_SPREAD * middle)


def _is_beyond(
    limit: _Limit, figures: Mapping[Feature, float], usual: Usual | None, *, ease: float = 0.0
) -> bool:
    value = figures[limit.feature]
    border = _border(limit, usual)
    if limit.side == "low":
        return value < border * (1.0 + ease)
    return value > border * (1.0 - ease)


def _border(limit: _Limit, usual: Usual | None) -> float:
    """Return beyond what a figure is bad: the hard limit, moved to where the usual ends."""
    if usual is None:
        return limit.hard
    if limit.side == "low":
        return max(usual.low, min(limit.hard, _HALF * usual.least))
    if usual.most < _NEAR * limit.hard:
        return max(min(usual.high, limit.hard), _HALF * limit.hard)
    return usual.high


def _reason(limit: _Limit, value: float, usual: Usual | None) -> str:
    said = f"{limit.name} is {limit.form(value)} over the last minutes"
    if usual is None:
        side = "below" if limit.side == "low" else "above"
        return f"{said}: {side} {limit.form(limit.hard)}, {limit.words}."
    span = f"{limit.form(usual.least)} to {limit.form(usual.most)}"
    return f"{said}; usually at this hour {span} (of {usual.n_days} days): {limit.words}."
