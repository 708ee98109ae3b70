"""One transaction for what many agents sent: all of it is committed, or nothing is."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar, assert_never

from django.db import transaction

from processing.wire.messages import (
    Ack,
    ClipMissing,
    EventBatch,
    Gap,
    Rejection,
    ResultBatch,
    SampleBatch,
    StateReport,
    ThumbnailBatch,
)
from webapp.events.actions import (
    Pictured,
    Raised,
    lose_clip,
    record_raised,
    record_thumbnails,
)
from webapp.fleet.actions import Reported, record_reports
from webapp.fleet.models import Agent
from webapp.gateway.handshake import Session
from webapp.gateway.ingest.checking import Edge, Rejected
from webapp.gateway.ingest.delivery import (
    Delivery,
    LaneMessage,
    Outcome,
    Stored,
    Unnumbered,
    lane_key,
    last_seq,
)
from webapp.gateway.ingest.directory import Directory
from webapp.gateway.ingest.losses import (
    Notes,
    loss_of_gap,
    losses_of,
    note_of_gap,
    note_of_rejections,
)
from webapp.gateway.refusal import Refusal
from webapp.gateway.reminders import Reminders
from webapp.monitoring.folding import Measured, fold_features, measured_in, measured_unseen
from webapp.monitoring.metering import Metered, fold_overflow, metered_in
from webapp.results.actions import Loss, move_cursors, record_losses, store_results
from webapp.results.bulk import NewResults
from webapp.results.queries import LaneKey

Entry = TypeVar("Entry")
Row = TypeVar("Row")


def commit_group(
    deliveries: Sequence[Delivery], *, directory: Directory, reminders: Reminders
) -> list[Outcome]:
    """Store what the deliveries bring and return, after the commit, what became of each."""
    with transaction.atomic():
        group = Group(deliveries, directory, Notes(reminders))
        outcomes = [group.take(delivery) for delivery in deliveries]
        group.write()
    group.notes.told()
    return outcomes


class Group:
    """The rows of one transaction. It holds the agents' rows, so their cursors stand still."""

    def __init__(self, deliveries: Sequence[Delivery], directory: Directory, notes: Notes) -> None:
        self._directory = directory
        self._agents = directory.hold({delivery.session.agent_id for delivery in deliveries})
        self._cursors = directory.read_cursors(
            lane_key(delivery.session, delivery.message)
            for delivery in deliveries
            if not isinstance(delivery.message, Unnumbered)
        )
        self._moved: dict[LaneKey, int] = {}
        self._results: list[NewResults] = []
        self._reported: list[Reported] = []
        self._unseen: list[Measured] = []
        self._metered: list[Metered] = []
        self._raised: list[Raised] = []
        self._pictured: list[Pictured] = []
        self._losses: list[Loss] = []
        self.notes = notes

    def take(self, delivery: Delivery) -> Outcome:
        """Collect what a delivery brings; samples are written at once."""
        agent = self._agents.get(delivery.session.agent_id)
        if agent is None:
            return Refusal("unknown_agent", "this agent was removed", is_final=True)
        if (refusal := _fence(agent, delivery.session)) is not None:
            return refusal
        message = delivery.message
        if isinstance(message, Unnumbered):
            return self._take_unnumbered(agent, message, at=delivery.received_at)
        key = lane_key(delivery.session, message)
        through, last = self._cursors[key], last_seq(message)
        if message.first_seq > through + 1 or last <= through:
            # A hole or a repeat: saying where the lane is makes the agent go on from there.
            return Stored(Ack(epoch=key.epoch, lane=key.lane, through_seq=through))
        self._cursors[key] = self._moved[key] = last
        return self._take_new(agent, delivery, message, key, through + 1)

    def write(self) -> None:
        """Write what was collected."""
        if self._results:
            store_results(self._results)
        fold_features([*measured_in(self._results), *self._unseen])
        record_reports(self._reported)
        fold_overflow(self._metered)
        if self._raised:
            record_raised(self._raised)
        if self._pictured:
            record_thumbnails(self._pictured)
        if self._losses:
            record_losses(self._losses, agents=self._agents)
            self.notes.write()
        if self._moved:
            move_cursors(self._moved)
            self._directory.keep_cursors(self._moved)

    def _take_unnumbered(self, agent: Agent, message: Unnumbered, *, at: datetime) -> Stored:
        match message:
            case StateReport():
                self._directory.learn(agent, message, at=at)
                self._reported.append(Reported(agent, message, at))
                known = self._directory.of_agent(agent).cameras
                self._unseen += measured_unseen(agent, message, known, at=at)
                self._metered += metered_in(agent, message, known, at=at)
            case ClipMissing():
                lose_clip(agent.id, message.clip_id, reason=message.reason, at=at)
            case _:
                assert_never(message)
        return Stored(ack=None)

    def _take_new(
        self, agent: Agent, delivery: Delivery, message: LaneMessage, key: LaneKey, first_new: int
    ) -> Stored:
        """Take the entries from `first_new` on."""
        at = delivery.received_at
        edge = Edge(agent, self._directory, epoch=key.epoch, at=at)
        n_known = first_new - message.first_seq
        n_results, rejected = 0, list[Rejection]()
        match message:
            case ResultBatch():
                edge.look_over(message.entries)
                results, rejected = _sift(message.entries[n_known:], first_new, edge.result)
                n_results = len(results)
                whose = agent.organization_id.hex, agent.id.hex
                self._results.append(NewResults(*whose, key.epoch, at, results, edge.entered))
            case EventBatch():
                check = partial(edge.event, lane=message.lane)
                raised, rejected = _sift(message.entries[n_known:], first_new, check)
                self._raised += raised
            case SampleBatch():
                _, rejected = _sift(message.entries[n_known:], first_new, edge.sample)
            case ThumbnailBatch():
                pictured, rejected = _sift(message.entries[n_known:], first_new, edge.thumbnail)
                self._pictured += pictured
            case Gap():
                loss = loss_of_gap(key, message, first_seq=first_new, at=at)
                self._losses.append(loss)
                self.notes.add(note_of_gap(agent, loss))
            case _:
                assert_never(message)
        if rejected:
            self._losses += losses_of(key, rejected, at=at)
            self.notes.add(note_of_rejections(agent, key, rejected, at=at))
        ack = Ack(
            epoch=key.epoch,
            lane=key.lane,
            through_seq=self._cursors[key],
            rejected=tuple(rejected),
        )
        return Stored(ack, n_results)


def _sift(
    entries: Sequence[Entry], first_seq: int, check: Callable[[int, Entry], Row]
) -> tuple[list[Row], list[Rejection]]:
    """Return what `check` makes of the entries, and why some are not taken."""
    rows, rejected = list[Row](), list[Rejection]()
    for seq, entry in enumerate(entries, first_seq):
        try:
            rows.append(check(seq, entry))
        except Rejected as rejection:
            rejected.append(rejection.of(seq))
    return rows, rejected


def _fence(agent: Agent, session: Session) -> Refusal | None:
    """Return why this session may not write, if it may not."""
    if agent.is_revoked:
        return Refusal("revoked", "this agent was revoked; enrol it anew", is_final=True)
    if agent.session != session.number:
        return Refusal("superseded", "another connection of this agent is newer")
    return None
