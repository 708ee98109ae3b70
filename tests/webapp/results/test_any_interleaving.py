"""Whatever is repeated, lost, late or interrupted: the table and the counts end the same.

A machine of hypothesis plays two agents and a hub. Agents capture frames, over midnights and days
back, and send any part of their outbox in any order, to one web process or the other; groups fail
before their commit and after it; the hub starts anew; its worker folds hours and days, sometimes
by a clock that is ahead. At the end the agents deliver what is missing, and the tables must hold
exactly what was captured and not lost.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.db import connection, transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from processing.wire.messages import Entered, Gap
from processing.wire.messages import Result as Entry
from processing.wire.packed import unpack
from processing.wire.scene import Scene, Zone
from tests.factories import (
    START,
    make_agent,
    make_bundle,
    make_camera,
    make_organization,
    make_site,
)
from tests.webapp.gateway.double import make_batch, make_entry
from webapp.fleet.models import Agent
from webapp.gateway.handshake import Session
from webapp.gateway.ingest.delivery import Delivery, LaneMessage, Stored
from webapp.gateway.ingest.directory import Directory
from webapp.gateway.ingest.group import commit_group
from webapp.gateway.reminders import Reminders
from webapp.results.days import begin_of_day, begin_of_hour
from webapp.results.folding import fold, folded_until
from webapp.results.models import LostRange, Result
from webapp.results.rollups import DAYS, HOURS, MINUTES

NOW = START.replace(hour=23, minute=59)
"""Where the hub's clock stands; agents' are up to a minute and a half ahead."""
DAY = timedelta(days=1)
BEFORE_ALL = NOW - 100 * DAY
ZONES = (UUID(int=1), UUID(int=2))
GONE = UUID(int=3)
"""A zone that was deleted meanwhile."""
_epochs = itertools.count(1)


class PowerCut(Exception):
    """The hub died here."""


def cut_power() -> None:
    raise PowerCut


@contextmanager
def undone() -> Iterator[None]:
    """Leave the tables as they were before."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def scene() -> dict[str, Any]:
    corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    zones = tuple(Zone(zone_id=zone, name="Gate", polygon=corners) for zone in ZONES)
    plain: dict[str, Any] = msgspec.to_builtins(Scene(zones=zones))
    return plain


class Outbox:
    """What one agent captured, and which of it is lost."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.cameras = [make_camera(agent, scene=scene()) for _ in range(2)]
        self.epoch = next(_epochs)
        self.hub = 0
        """Which of the web processes it is connected to."""
        self.connect()
        self.entries: list[Entry] = []
        self.lost: set[int] = set()
        self.through = 0

    def connect(self) -> None:
        agent = self.agent
        agent.session += 1
        agent.save(update_fields=["session"])
        self.session = Session(
            agent.id, agent.organization_id, agent.name, agent.session, self.epoch, UUID(int=1)
        )

    def batch(self, first: int, n: int) -> LaneMessage:
        """Return the message with `n` entries from `first` on, or the gap that is there now."""
        if first in self.lost:
            last = first
            while last + 1 in self.lost:
                last += 1
            return Gap(
                epoch=self.epoch, lane="results", first_seq=first, last_seq=last,
                reason="outbox_full", noticed_at=NOW,
            )  # fmt: skip
        whole = itertools.takewhile(
            lambda seq: seq not in self.lost, range(first, min(first + n, len(self.entries) + 1))
        )
        return make_batch(first, *(self.entries[seq - 1] for seq in whole), epoch=self.epoch)


agents = st.integers(0, 1)
sendings = st.lists(
    st.tuples(agents, st.integers(0, 12), st.integers(1, 9)), min_size=1, max_size=6
)
"""Agent, how far before the newest to begin, how many."""


class Interleaving(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._run = ExitStack()
        self._run.enter_context(undone())
        site = make_site(make_organization())
        make_bundle(site.organization, digest=f"{1:032x}")
        self.outboxes = [Outbox(make_agent(site)) for _ in range(2)]
        self.restart()

    @rule()
    def restart(self) -> None:
        self.directories, self.reminders = (Directory(), Directory()), Reminders()

    @rule(agent=agents, hub=st.integers(0, 1))
    def connect(self, agent: int, hub: int) -> None:
        """Connect anew, to this web process or the other."""
        self.outboxes[agent].hub = hub
        self.outboxes[agent].connect()

    @rule(
        agent=agents,
        camera=st.integers(0, 1),
        labels=st.lists(st.integers(0, 2), max_size=4),
        zones=st.lists(st.sampled_from([*ZONES, GONE]), max_size=3),
        back_s=st.sampled_from(
            [0, 30, 119, 121, 3_600, 7_200, 10_800, 86_400, 3 * 86_400, 30 * 86_400]
        ),
        n=st.integers(1, 6),
    )
    def capture(
        self, agent: int, camera: int, labels: list[int], zones: list[UUID], back_s: int, n: int
    ) -> None:
        outbox = self.outboxes[agent]
        entered = tuple(Entered(zone, label, 2) for zone in zones for label in set(labels))
        for _ in range(n):
            at = NOW - timedelta(seconds=back_s) + timedelta(seconds=7 * len(outbox.entries) % 90)
            outbox.entries.append(
                make_entry(outbox.cameras[camera].id, *labels, at=at, entered=entered)
            )

    @rule(agent=agents, n=st.integers(1, 4))
    def lose(self, agent: int, n: int) -> None:
        """Drop the oldest that the hub has not acknowledged."""
        outbox = self.outboxes[agent]
        last = min(outbox.through + n, len(outbox.entries))
        outbox.lost |= set(range(outbox.through + 1, last + 1))

    @rule(ahead=st.sampled_from([timedelta(0), timedelta(minutes=59), DAY, 3 * DAY]))
    def fold(self, ahead: timedelta) -> None:
        list(fold(NOW + ahead))

    @rule(sent=sendings, ending=st.sampled_from(["whole", "cut before", "cut after"]))
    def send(self, sent: list[tuple[int, int, int]], ending: str) -> None:
        messages = [
            (self.outboxes[agent], max(1, len(self.outboxes[agent].entries) - back), n)
            for agent, back, n in sent
            if self.outboxes[agent].entries
        ]
        if not messages:
            return
        try:
            with transaction.atomic():
                acks = self.commit([(box, box.batch(first, n)) for box, first, n in messages])
                if ending == "cut before":
                    cut_power()
        except PowerCut:
            self.restart()
            return
        if ending == "whole":  # else the acknowledgement never arrives
            for outbox, through in acks:
                outbox.through = max(outbox.through, through)

    def commit(self, messages: list[tuple[Outbox, LaneMessage]]) -> list[tuple[Outbox, int]]:
        acks = []
        for hub, directory in enumerate(self.directories):
            there = [(outbox, message) for outbox, message in messages if outbox.hub == hub]
            deliveries = [
                Delivery(outbox.session, message, NOW, 0, lambda _: None)
                for outbox, message in there
            ]
            outcomes = commit_group(deliveries, directory=directory, reminders=self.reminders)
            for (outbox, _), outcome in zip(there, outcomes, strict=True):
                assert isinstance(outcome, Stored)
                assert outcome.ack is not None
                acks.append((outbox, outcome.ack.through_seq))
        return acks

    def teardown(self) -> None:
        with self._run:
            for outbox in self.outboxes:
                self._deliver_rest(outbox)
            list(fold(NOW))
            for outbox in self.outboxes:
                self._check(outbox)
            check_partitions()

    def _deliver_rest(self, outbox: Outbox) -> None:
        if not outbox.entries:
            return
        ((_, through),) = self.commit([(outbox, outbox.batch(1, 1))])
        while through < len(outbox.entries):
            ((_, after),) = self.commit([(outbox, outbox.batch(through + 1, 5))])
            assert after > through
            through = after

    def _check(self, outbox: Outbox) -> None:
        """Compare all tables with what was captured; lost entries may have arrived before."""
        missing = {
            seq
            for loss in LostRange.objects.filter(agent=outbox.agent)
            for seq in range(loss.first_seq, loss.last_seq + 1)
        }
        assert missing <= outbox.lost
        kept = {seq: entry for seq, entry in enumerate(outbox.entries, 1) if seq not in missing}
        rows = Result.objects.filter(agent=outbox.agent).order_by("seq")
        assert [
            (row.seq, row.camera_id, row.captured_at, bytes(row.detections)) for row in rows
        ] == [
            (seq, entry.camera_id, entry.captured_at, entry.detections)
            for seq, entry in kept.items()
        ]
        until = folded_until() or BEFORE_ALL
        for rollups, begin, end in (
            (MINUTES, _minute, NOW + DAY),
            (HOURS, begin_of_hour, until),
            (DAYS, begin_of_day, begin_of_day(until)),
        ):
            counted = [each for each in kept.values() if each.captured_at < end]
            n_frames, seen, entered = expected(counted, begin)
            theirs = {"camera__in": outbox.cameras}
            at = rollups.begins_at
            cameras: Any = rollups.of_cameras._default_manager.filter(**theirs)
            frames = cameras.values_list("camera", at, "n_results")
            assert {(camera, begins): n for camera, begins, n in frames} == n_frames
            labels: Any = rollups.of_labels._default_manager.filter(**theirs)
            columns = ("camera", at, "label", "n_detections", "n_tracks", "peak")
            assert {row[:3]: row[3:] for row in labels.values_list(*columns)} == seen
            zones: Any = rollups.of_zones._default_manager.filter(**theirs)
            columns_of_zones = ("camera", at, "label", "zone_id", "n_tracks")
            assert {row[:4]: row[4] for row in zones.values_list(*columns_of_zones)} == entered


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def expected(
    entries: list[Entry], begin: Callable[[datetime], datetime]
) -> tuple[Counter[Any], dict[Any, tuple[int, int, int]], Counter[Any]]:
    """Return frames; detections, begun tracks and peak of each label; what came into each zone."""
    n_frames, seen, entered = Counter[Any](), dict[Any, tuple[int, int, int]](), Counter[Any]()
    for entry in entries:
        key = (entry.camera_id, begin(entry.captured_at))
        n_frames[key] += 1
        of_label = Counter(found.label for found in unpack(entry.detections))
        started = dict(entry.n_started)
        for label in of_label.keys() | started.keys():
            n_detections, n_tracks, peak = seen.get((*key, label), (0, 0, 0))
            seen[*key, label] = (
                n_detections + of_label[label],
                n_tracks + started.get(label, 0),
                max(peak, of_label[label]),
            )
        for each in entry.entered:
            if each.zone_id != GONE:
                entered[*key, each.label, each.zone_id] += each.n_tracks
    return n_frames, seen, entered


def check_partitions() -> None:
    """See that each result is in the partition of its day."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT tableoid::regclass::text, captured_at FROM results_result"
            )
            for partition, captured_at in cursor.fetchall():
                assert partition == f"results_result_{captured_at.astimezone(UTC):%Y%m%d}"


@pytest.mark.django_db
def test_any_interleaving_ends_the_same(
    soaked: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.results.actions.now", lambda: NOW)
    run_state_machine_as_test(
        Interleaving,
        settings=settings(max_examples=soaked(600), stateful_step_count=20, deadline=None),
    )
