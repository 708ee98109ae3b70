"""What will never be stored: as ranges in the data, and as words to people."""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from processing.wire.messages import Gap, Rejection
from webapp.events.actions import note_event
from webapp.events.models import Event
from webapp.fleet.models import Agent
from webapp.gateway.reminders import Reminders
from webapp.results.actions import Loss
from webapp.results.models import LostRange
from webapp.results.queries import LaneKey

_MOST_DETAILS = 3


def loss_of_gap(key: LaneKey, gap: Gap, *, first_seq: int, at: datetime) -> Loss:
    """Return what an agent says it lost, from `first_seq` on."""
    reason = LostRange.Reason(gap.reason)
    return Loss(key, first_seq, gap.last_seq, reason, "", at)


def losses_of(key: LaneKey, rejected: Sequence[Rejection], *, at: datetime) -> Iterator[Loss]:
    """Yield the rejected entries of a batch as ranges of equal reason."""
    first = 0
    ends = [
        index
        for index, (one, next_one) in enumerate(pairwise(rejected), start=1)
        if next_one.seq != one.seq + 1 or next_one.code != one.code
    ]
    for end in (*ends, len(rejected)) if rejected else ():
        run = rejected[first:end]
        detail = f"{run[0].code}: {run[0].detail}"
        yield Loss(key, run[0].seq, run[-1].seq, LostRange.Reason.REFUSED, detail, at)
        first = end


@dataclass(frozen=True, slots=True)
class Note:
    """What people are told about a loss."""

    agent: Agent
    kind: str
    title: str
    detail: str
    what: Hashable
    """Of the same, people are told once a while."""
    at: datetime


def note_of_gap(agent: Agent, loss: Loss) -> Note:
    n_lost = loss.last_seq - loss.first_seq + 1
    return Note(
        agent,
        kind="entries_lost",
        title=f"{agent.name} lost {n_lost} of its {loss.key.lane}",
        detail=f"{loss.reason.label}: numbers {loss.first_seq} to {loss.last_seq}",
        what=(agent.id, loss.key.lane, loss.reason),
        at=loss.noticed_at,
    )


def note_of_rejections(
    agent: Agent, key: LaneKey, rejected: Sequence[Rejection], *, at: datetime
) -> Note:
    counts = Counter(rejection.code for rejection in rejected)
    examples = {rejection.code: rejection.detail for rejection in reversed(rejected)}
    reasons = [
        f"{n_of_code} {code.replace('_', ' ')}, as in: {examples[code]}"
        for code, n_of_code in counts.most_common(_MOST_DETAILS)
    ]
    return Note(
        agent,
        kind="entries_refused",
        title=f"{len(rejected)} {key.lane} of {agent.name} were refused",
        detail="; ".join(reasons),
        what=(agent.id, key.lane, tuple(sorted(counts))),
        at=at,
    )


class Notes:
    """The notes of one transaction: written with it, counted as told once it is committed."""

    def __init__(self, reminders: Reminders) -> None:
        self._reminders = reminders
        self._due: dict[Hashable, Note] = {}

    def add(self, note: Note) -> None:
        if note.what not in self._due and self._reminders.is_due(note.what, at=note.at):
            self._due[note.what] = note

    def write(self) -> None:
        for note in self._due.values():
            note_event(
                note.agent,
                kind=note.kind,
                title=note.title,
                detail=note.detail,
                severity=Event.Severity.WARNING,
                at=note.at,
            )

    def told(self) -> None:
        for note in self._due.values():
            self._reminders.told(note.what, at=note.at)
