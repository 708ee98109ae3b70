"""Whatever an agent resends, in whatever order: the table and the minutes end the same."""

import itertools
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processing.wire.messages import Gap
from processing.wire.messages import Result as Entry
from processing.wire.packed import unpack
from tests.factories import START, make_camera
from tests.webapp.gateway.double import make_batch, make_entry
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.gateway.handshake import Session
from webapp.gateway.ingest.delivery import Delivery, LaneMessage, Stored
from webapp.gateway.ingest.directory import Directory
from webapp.gateway.ingest.group import commit_group
from webapp.gateway.reminders import Reminders
from webapp.results.models import CameraMinute, LabelMinute, LostRange, Result

N_ENTRIES = 24
_epochs = itertools.count(1)

pieces = st.tuples(st.integers(1, N_ENTRIES), st.integers(1, 8))
"""First number, and how many entries."""
groups = st.lists(st.lists(pieces, min_size=1, max_size=5), max_size=10)


def make_entries(camera: Camera) -> list[Entry]:
    """Return entries over three minutes, some with clocks that are wrong."""
    return [
        make_entry(
            camera.id,
            *([0] * (number % 3) + [1] * (number % 2)),
            at=START + timedelta(days=1)
            if number % 7 == 6
            else START + timedelta(seconds=8 * number),
        )
        for number in range(N_ENTRIES)
    ]


class Hub:
    """Commits groups of what one outbox sends."""

    def __init__(self, agent: Agent, epoch: int) -> None:
        self._agent = agent
        self._epoch = epoch
        self._directory = Directory()
        self._reminders = Reminders()
        self.connect()

    def connect(self) -> None:
        """Begin a session, which ends the one that another process may have."""
        agent = self._agent
        agent.session += 1
        agent.save(update_fields=["session"])
        self._session = Session(
            agent.id, agent.organization_id, agent.name, agent.session, self._epoch, UUID(int=1)
        )

    def commit(self, *messages: LaneMessage) -> int:
        """Return through which number the lane is committed then."""
        at = START + timedelta(minutes=4)
        deliveries = [
            Delivery(self._session, message, at, 0, lambda _: None) for message in messages
        ]
        outcomes = commit_group(deliveries, directory=self._directory, reminders=self._reminders)
        last = outcomes[-1]
        assert isinstance(last, Stored)
        assert last.ack is not None
        return last.ack.through_seq


@pytest.mark.django_db
def test_what_another_process_stored_meanwhile_is_not_stored_again(
    agent: Agent, bundle: Bundle
) -> None:
    entries = make_entries(make_camera(agent))
    here = Hub(agent, epoch=1)
    assert here.commit(make_batch(1, *entries[:3])) == 3
    there = Hub(agent, epoch=1)
    assert there.commit(make_batch(4, *entries[3:5])) == 5
    here.connect()
    assert here.commit(make_batch(3, *entries[2:6])) == 6
    there.connect()
    assert there.commit(make_batch(1, *entries[:6])) == 6
    assert sorted(Result.objects.values_list("seq", flat=True)) == [1, 2, 3, 4, 5, 6]


def expected_minutes(entries: list[Entry]) -> tuple[Counter[object], Counter[object]]:
    cameras, labels = Counter[object](), Counter[object]()
    for entry in entries:
        minute = entry.captured_at.replace(second=0)
        cameras[minute] += 1
        for found in unpack(entry.detections):
            labels[minute, found.label] += 1
    return cameras, labels


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    sent=groups, lost=st.one_of(st.none(), st.tuples(st.integers(1, N_ENTRIES), st.integers(1, 4)))
)
def test_any_order_of_resends_ends_the_same(
    agent: Agent,
    bundle: Bundle,
    sent: list[list[tuple[int, int]]],
    lost: tuple[int, int] | None,
) -> None:
    epoch = next(_epochs)
    camera = make_camera(agent)
    entries = make_entries(camera)
    hub = Hub(agent, epoch)
    through = 0
    for group in sent:
        through = hub.commit(
            *(
                make_batch(first, *entries[first - 1 : first - 1 + n], epoch=epoch)
                for first, n in group
            )
        )
    gone = set[int]()
    if lost is not None and lost[0] > through:
        first, last = through + 1, min(lost[0] + lost[1], N_ENTRIES)
        gone = set(range(first, last + 1))
        gap = Gap(
            epoch=epoch, lane="results", first_seq=first, last_seq=last,
            reason="outbox_full", noticed_at=START,
        )  # fmt: skip
        through = hub.commit(gap, gap)
        assert through == last
    if through < N_ENTRIES:
        through = hub.commit(make_batch(through + 1, *entries[through:], epoch=epoch))
    assert through == N_ENTRIES

    latest = START + timedelta(hours=1)
    kept = {
        seq: entry
        for seq, entry in enumerate(entries, 1)
        if seq not in gone and entry.captured_at < latest
    }
    rows = Result.objects.filter(agent=agent, epoch=epoch)
    assert {row.seq: bytes(row.detections) for row in rows} == {
        seq: entry.detections for seq, entry in kept.items()
    }
    assert rows.count() == len(kept)
    cameras, labels = expected_minutes(list(kept.values()))
    minutes = CameraMinute.objects.filter(camera=camera)
    assert {minute.minute_at: minute.n_results for minute in minutes} == cameras
    seen = LabelMinute.objects.filter(camera=camera)
    assert {(minute.minute_at, minute.label): minute.n_detections for minute in seen} == labels
    missing = [
        seq
        for loss in LostRange.objects.filter(agent=agent, epoch=epoch)
        for seq in range(loss.first_seq, loss.last_seq + 1)
    ]
    assert sorted(missing) == sorted(set(range(1, N_ENTRIES + 1)) - set(kept))
