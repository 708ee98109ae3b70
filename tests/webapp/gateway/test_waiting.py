"""Of what waits for its commit alerts go first, pictures last, and nothing starves."""

from typing import get_args
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from processing.wire.messages import Gap, Lane, StateReport
from tests.factories import START
from webapp.gateway.handshake import Session
from webapp.gateway.ingest.delivery import Delivery, LaneMessage, Outcome
from webapp.gateway.ingest.waiting import CLASSES, Class, Waiting, class_of

SESSION = Session(uuid4(), uuid4(), "Gate", 1, 1, uuid4())


def ignore(_outcome: Outcome) -> None:
    pass


def waiting_of(kind: Class, number: int, *, n_bytes: int = 100) -> Delivery:
    message: LaneMessage | StateReport
    if kind == "reports":
        message = StateReport(at=START, desired_version=number)
    else:
        message = Gap(
            epoch=1, lane=kind, first_seq=number, last_seq=number, reason="outbox_full",
            noticed_at=START,
        )  # fmt: skip
    return Delivery(SESSION, message, START, n_bytes, ignore)


def number_of(delivery: Delivery) -> int:
    message = delivery.message
    if isinstance(message, StateReport):
        return message.desired_version
    assert isinstance(message, Gap)
    return message.first_seq


def filled(*kinds: Class) -> Waiting:
    waiting = Waiting()
    for number, kind in enumerate(kinds, 1):
        waiting.put(waiting_of(kind, number))
    return waiting


def take(waiting: Waiting, most_entries: int) -> list[Class]:
    return [class_of(each) for each in waiting.take(most_entries=most_entries, most_bytes=10**9)]


def test_an_alert_goes_before_all_that_came_earlier() -> None:
    waiting = filled("media", "results", "results", "events", "alerts", "alerts")
    assert take(waiting, 2) == ["alerts", "alerts"]


def test_every_lane_has_a_turn_in_every_group() -> None:
    results: list[Class] = ["results"] * 100
    waiting = filled("media", "media", *results, "events", "reports")
    assert take(waiting, 5) == ["reports", "events", "results", "media", "results"]


def test_what_is_left_when_all_had_a_turn_goes_by_rank() -> None:
    waiting = filled("media", "media", "results", "results", "events", "events")
    assert take(waiting, 6) == ["events", "results", "media", "events", "results", "media"]


def test_a_group_of_pictures_is_small() -> None:
    waiting = Waiting()
    for number in range(1, 9):
        waiting.put(waiting_of("media", number, n_bytes=300_000))
    assert len(waiting.take(most_entries=2_000, most_bytes=1_000_000)) == 4
    assert (waiting.n_entries, waiting.n_bytes) == (4, 1_200_000)


def test_every_lane_of_the_wire_has_a_rank() -> None:
    assert set(CLASSES) == {*get_args(Lane), "reports"}


@given(st.lists(st.sampled_from(CLASSES)), st.integers(1, 10))
def test_all_comes_out_once_and_each_lane_in_its_order(kinds: list[Class], most: int) -> None:
    waiting = filled(*kinds)
    taken: list[Delivery] = []
    while waiting.n_entries:
        group = waiting.take(most_entries=most, most_bytes=10**9)
        assert 0 < len(group) <= most
        taken += group
    assert waiting.n_bytes == 0
    for kind in CLASSES:
        numbers = [number_of(each) for each in taken if class_of(each) == kind]
        assert numbers == [number for number, each in enumerate(kinds, 1) if each == kind]
