"""An event's life from the words that an agent says of it, in whatever order and however often.

What is known of an event is joined, word by word: joining is commutative, associative and
idempotent, so late, early and repeated words all end in the same event.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Final, Literal, TypeAlias
from uuid import UUID

from processing.wire.messages import EventRaised
from webapp.common.text import clean_text

Phase: TypeAlias = Literal["once", "start", "update", "end"]
State: TypeAlias = Literal["once", "running", "over"]

MAX_LABELS: Final = 64
MAX_TRACKS: Final = 64
_PHASES: Final[tuple[Phase, ...]] = ("once", "start", "update", "end")
_STATES: Final[tuple[State, ...]] = ("once", "running", "over")
_STATE_AFTER: Final[dict[Phase, State]] = {
    "once": "once", "start": "running", "update": "running", "end": "over",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spoken:
    """What one word says, in so many words."""

    phase: Phase
    at: datetime
    kind: str
    severity: str
    title: str
    detail: str
    camera_id: UUID | None
    rule_id: UUID | None

    @property
    def rank(self) -> tuple[object, ...]:
        """Return what decides between two: the end's words, then the latest; never a draw."""
        ids = tuple(str(each or "") for each in (self.camera_id, self.rule_id))
        words = (self.kind, self.severity, self.title, self.detail, *ids)
        return (self.phase == "end", self.at, _PHASES.index(self.phase), *words)


@dataclass(frozen=True, slots=True)
class Life:
    """All that is known of an event."""

    began_at: datetime
    """The earliest instant that any word gives."""
    ended_at: datetime | None
    """The earliest end; None while nobody has said that it is over."""
    state: State
    spoken: Spoken
    """The words that count."""
    labels: tuple[str, ...]
    """Of all words, sorted; the first `MAX_LABELS`."""
    tracks: tuple[int, ...]
    """Of all words, sorted; the first `MAX_TRACKS`."""


def life_of_word(word: EventRaised) -> Life:
    """Return what one word alone tells."""
    spoken = Spoken(
        phase=word.phase,
        at=word.occurred_at,
        kind=clean_text(word.kind),
        severity=word.severity,
        title=clean_text(word.title),
        detail=clean_text(word.detail),
        camera_id=word.camera_id,
        rule_id=word.rule_id,
    )
    return Life(
        began_at=min(word.occurred_at, word.started_at or word.occurred_at),
        ended_at=word.occurred_at if word.phase == "end" else None,
        state=_STATE_AFTER[word.phase],
        spoken=spoken,
        labels=tuple(sorted({clean_text(label) for label in word.labels}))[:MAX_LABELS],
        tracks=tuple(sorted(set(word.tracks)))[:MAX_TRACKS],
    )


def join(one: Life, other: Life) -> Life:
    """Return what both tell together."""
    ends = [life.ended_at for life in (one, other) if life.ended_at is not None]
    return Life(
        began_at=min(one.began_at, other.began_at),
        ended_at=min(ends, default=None),
        state=max(one.state, other.state, key=_STATES.index),
        spoken=max(one.spoken, other.spoken, key=lambda spoken: spoken.rank),
        labels=tuple(sorted({*one.labels, *other.labels}))[:MAX_LABELS],
        tracks=tuple(sorted({*one.tracks, *other.tracks}))[:MAX_TRACKS],
    )


def join_all(first: Life, *others: Life) -> Life:
    """Return what all tell together."""
    return reduce(join, others, first)
