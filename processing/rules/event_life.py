"""The life of a rule's events: one begins, tells how it goes on, ends; then the rule is quiet."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from processing.rules.conditions.condition import Holding, Lasting, Momentary
from processing.rules.dwell import LAPSE
from processing.rules.happening import Glimpse, Happening, Phase
from processing.rules.quiet import Quiet
from processing.rules.sight import Sight
from processing.rules.words import Facts, capitalized, count, evidence
from processing.wire.scene import Rule

_UPDATE_EVERY: Final = timedelta(seconds=1)
_MOST_TRACKS: Final = 64
"""What an event's message may name."""
_CLEARLY_BETTER: Final = 0.02
"""Of the score: a picture is not taken again for less."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a rule says of one frame."""

    happenings: tuple[Happening, ...] = ()
    glimpse: Glimpse | None = None
    """Of its running event, where this frame shows it better."""


NOTHING: Final = Told()


class EventLife:
    """One rule's life, whatever its condition is. Call `look` once a frame, in order of time."""

    def __init__(
        self,
        rule: Rule,
        begin: Callable[[], Lasting],
        *,
        new_id: Callable[[], UUID],
    ) -> None:
        self._rule = rule
        self._begin_watch = begin
        self._watch = begin()
        self._new_id = new_id
        self._quiet = Quiet(rule.quiet_s)
        self._event: _Event | None = None

    def look(self, sight: Sight, wanted: NDArray[np.bool_]) -> Told:
        """Return what to tell of this frame."""
        held = self._watch.look(sight, wanted)
        if self._event is None:
            return self._start(held, sight)
        if held.since is None:
            return Told(self.end())
        if not held.is_now:
            return NOTHING
        event = self._event
        glimpse = event.take(held, sight)
        if event.has_news(sight.at):
            return Told((self._word(event, "update", sight.at, glimpse),), glimpse)
        return Told(glimpse=glimpse)

    def end(self, at: datetime | None = None) -> tuple[Happening, ...]:
        """End the event that runs, if one does, when it was last so; at `at` if that is close."""
        event, self._event = self._event, None
        if event is None:
            return ()
        if at is not None and event.last_at <= at <= event.last_at + LAPSE:
            event.last_at = at
        self._quiet.begin(event.last_at)
        return (self._word(event, "end", event.last_at, None),)

    def forget(self) -> None:
        """Begin anew to look, with nothing known of any track; the rest is kept."""
        self._watch = self._begin_watch()

    def _start(self, held: Holding, sight: Sight) -> Told:
        is_rested = self._quiet.is_over(sight.at)
        if held.since is None or not held.is_now or not is_rested:
            return NOTHING
        if held.tracks and not sight.is_sure[np.isin(sight.tracks, held.tracks)].any():
            return NOTHING
        event = self._event = _Event(self._new_id(), held.since, sight.at)
        glimpse = event.take(held, sight)
        return Told((self._word(event, "start", sight.at, glimpse),), glimpse)

    def _word(
        self, event: "_Event", phase: Phase, at: datetime, glimpse: Glimpse | None
    ) -> Happening:
        is_over = phase == "end"
        tracks = tuple(event.known) if is_over else event.members
        who = event.most if is_over else event.members
        facts = Facts(
            who=count([event.known[track] for track in who]),
            seconds=(at - event.since).total_seconds(),
            is_over=is_over,
        )
        event.told, event.told_at = event.members, at
        return Happening(
            event_id=event.event_id,
            rule=self._rule,
            phase=phase,
            at=at,
            started_at=event.started_at,
            labels=tuple(sorted({event.known[track] for track in tracks})),
            tracks=tracks[:_MOST_TRACKS],
            title=self._watch.title(facts),
            detail=_detail(self._watch.reason(facts), tracks, event.score, self._rule),
            best=glimpse.best if glimpse else None,
            score=event.score,
        )


@dataclass(slots=True)
class _Event:
    """One that runs."""

    event_id: UUID
    since: datetime
    """When what it is about began, before anybody was told."""
    started_at: datetime
    last_at: datetime = field(init=False)
    """When it was last so."""
    members: tuple[int, ...] = ()
    """The tracks in it now, in order."""
    most: tuple[int, ...] = ()
    """When there were most."""
    told: tuple[int, ...] = ()
    told_at: datetime = field(init=False)
    known: dict[int, str] = field(default_factory=dict)
    """Every track that has been in it, with its class."""
    score: float = 0.0
    pictured: float = -1.0
    """The score of the best picture of it."""

    def __post_init__(self) -> None:
        self.last_at = self.told_at = self.started_at

    def take(self, held: Holding, sight: Sight) -> Glimpse | None:
        """Take what is so in this frame; return it if it shows the event clearly better."""
        self.last_at = sight.at
        seen = np.flatnonzero(np.isin(sight.tracks, held.tracks))
        for track, label in zip(
            sight.tracks[seen].tolist(), sight.labels[seen].tolist(), strict=True
        ):
            self.known.setdefault(track, sight.names[label])
        self.members = tuple(sorted(track for track in held.tracks if track in self.known))
        if len(self.members) > len(self.most):
            self.most = self.members
        return self._glimpse(sight, seen)

    def has_news(self, at: datetime) -> bool:
        """Return whether things came or went, and the last word was a while ago."""
        return self.members != self.told and at - self.told_at >= _UPDATE_EVERY

    def _glimpse(self, sight: Sight, seen: NDArray[np.intp]) -> Glimpse | None:
        if not len(seen):
            return None
        best = int(seen[np.argmax(sight.scores[seen])])
        score = _share(sight.scores[best])
        self.score = max(self.score, _share(sight.peaks[seen].max()))
        if score < self.pictured + _CLEARLY_BETTER:
            return None
        self.pictured = score
        return Glimpse(self.event_id, int(sight.places[best]), score)


class MomentLife:
    """One rule whose events are over as soon as they happen."""

    def __init__(
        self,
        rule: Rule,
        begin: Callable[[], Momentary],
        *,
        new_id: Callable[[], UUID],
    ) -> None:
        self._rule = rule
        self._begin_watch = begin
        self._watch = begin()
        self._new_id = new_id
        self._quiet = Quiet(rule.quiet_s)

    def look(self, sight: Sight, wanted: NDArray[np.bool_]) -> Told:
        """Return what to tell of this frame."""
        told: list[Happening] = []
        is_rested = self._quiet.is_over(sight.at)
        for track, way in self._watch.look(sight, wanted).items():
            where = int(np.flatnonzero(sight.tracks == track)[0])
            if is_rested and sight.is_sure[where]:
                told.append(self._word(where, way, sight))
                self._quiet.begin(sight.at)
                is_rested = self._quiet.is_over(sight.at)
        return Told(tuple(told))

    def end(self, at: datetime | None = None) -> tuple[Happening, ...]:  # noqa: ARG002 - nothing runs
        """Return nothing: every event was over when it was told."""
        return ()

    def forget(self) -> None:
        """Begin anew to look, with nothing known of any track; the rest is kept."""
        self._watch = self._begin_watch()

    def _word(self, where: int, way: str, sight: Sight) -> Happening:
        track = int(sight.tracks[where])
        label = sight.names[int(sight.labels[where])]
        score = _share(sight.peaks[where])
        facts = Facts(who={label: 1}, seconds=0.0, is_over=True)
        return Happening(
            event_id=self._new_id(),
            rule=self._rule,
            phase="once",
            at=sight.at,
            started_at=sight.at,
            labels=(label,),
            tracks=(track,),
            title=self._watch.title(facts),
            detail=_detail(self._watch.reason(facts, way), (track,), score, self._rule),
            best=int(sight.places[where]),
            score=score,
        )


def _detail(reason: str, tracks: Iterable[int], score: float, rule: Rule) -> str:
    rests_on = evidence(tuple(tracks), score)
    because = f" ({rests_on})" if rests_on else ""
    return f"{capitalized(reason)}{because}; rule '{rule.name}'"


def _share(score: float) -> float:
    return min(max(float(score), 0.0), 1.0) if score == score else 0.0  # noqa: PLR0124 - nan
