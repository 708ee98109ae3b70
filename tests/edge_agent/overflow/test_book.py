"""What the cloud costs: never more than a day's budget, whatever ends the agent, and when."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.overflow.book import Book, Cost
from processing.wire.camera import OverflowPolicy
from processing.wire.limits import MAX_TEXT

CAMERA = UUID(int=1)
OTHER = UUID(int=2)
EVENING = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
LIMITED = OverflowPolicy(mode="always", mb_per_day=1.0)
N_BYTES = 10_000


class Clock:
    def __init__(self) -> None:
        self.now = EVENING

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def spend_all(book: Book, policy: OverflowPolicy = LIMITED) -> int:
    """Return how many pictures there was money for."""
    n = 0
    while n < 10_000 and book.spend(CAMERA, policy, Cost(N_BYTES, 2000)):
        n += 1
    return n


def test_a_day_has_so_many_bytes_and_the_next_as_many_again(tmp_path: Path, clock: Clock) -> None:
    book = Book(tmp_path / "book", now=clock)
    assert spend_all(book) == 100
    assert not book.has_left(CAMERA, LIMITED, Cost(1))
    assert book.has_left(OTHER, LIMITED, Cost(1))
    clock.now += timedelta(seconds=1)
    assert spend_all(book) == 100


def test_money_is_a_limit_of_its_own(tmp_path: Path, clock: Clock) -> None:
    book = Book(tmp_path / "book", now=clock)
    policy = OverflowPolicy(mode="always", mb_per_day=1.0, money_per_day=0.05)
    assert spend_all(book, policy) == 25
    book.give_back(CAMERA, Cost(0, 4000))
    assert spend_all(book, policy) == 2


def test_who_has_no_limit_may_spend_and_is_counted_when_one_comes(
    tmp_path: Path, clock: Clock
) -> None:
    book = Book(tmp_path / "book", now=clock)
    free = OverflowPolicy(mode="always")
    assert spend_all(book, free) == 10_000
    assert not book.has_left(CAMERA, LIMITED, Cost(1))


def test_a_restart_spends_nothing_twice_and_loses_nothing(tmp_path: Path, clock: Clock) -> None:
    book = Book(tmp_path / "book", now=clock)
    for _ in range(30):
        assert book.spend(CAMERA, LIMITED, Cost(N_BYTES))
    book.save(is_last=True)
    assert spend_all(Book(tmp_path / "book", now=clock)) == 70


@settings(max_examples=15)  # each waits for the disk
@given(lives=st.lists(st.integers(0, 40), max_size=8))
def test_however_often_it_is_killed_a_day_costs_no_more(
    lives: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("killed") / "book"
    n_spent = 0
    for n_wanted in lives:
        book = Book(path, now=Clock())  # the one before was killed: it wrote no last word
        n_spent += sum(book.spend(CAMERA, LIMITED, Cost(N_BYTES)) for _ in range(n_wanted))
    n_spent += spend_all(Book(path, now=Clock()))
    assert 100 - 3 * len(lives) <= n_spent <= 100


def test_what_was_reported_never_falls(tmp_path: Path, clock: Clock) -> None:
    book = Book(tmp_path / "book", now=clock)
    book.count(CAMERA, {"n_cloud": 3, "n_bytes": 500})
    assert book.states({}) == {}  # not on disk yet
    book.save()
    told = book.states({CAMERA: "why"})[CAMERA]
    assert (told.n_cloud, told.n_bytes, told.since_at, told.reason) == (3, 500, EVENING, "why")
    book.count(CAMERA, {"n_cloud": 1})
    clock.now += timedelta(days=1)
    again = Book(tmp_path / "book", now=clock)
    again.count(CAMERA, {"n_cloud": 1})
    again.save()
    after = again.states({})[CAMERA]
    assert (after.n_cloud, after.since_at) == (4, EVENING)


def test_what_is_not_on_disk_is_not_reported(tmp_path: Path, clock: Clock) -> None:
    folder = tmp_path / "data"
    book = Book(folder / "book", now=clock)
    book.count(CAMERA, {"n_cloud": 3})
    book.save()
    assert book.states({}) == {}
    folder.mkdir()
    book.save()
    assert book.states({})[CAMERA].n_cloud == 3


def test_what_a_newer_program_counted_is_left_out(tmp_path: Path, clock: Clock) -> None:
    book = Book(tmp_path / "book", now=clock)
    book.count(CAMERA, {"n_cloud": 3, "n_dreamt": 4})  # type: ignore[dict-item]  # of another version
    book.save(is_last=True)
    assert Book(tmp_path / "book", now=clock).states({})[CAMERA].n_cloud == 3


def test_a_reason_is_no_longer_than_a_report_may_have_it(tmp_path: Path, clock: Clock) -> None:
    book = Book(tmp_path / "book", now=clock)
    book.count(CAMERA, {"n_local": 1})
    book.save()
    assert len(book.states({CAMERA: "why " * 1000})[CAMERA].reason) == MAX_TEXT


def test_cameras_that_are_gone_are_forgotten(tmp_path: Path, clock: Clock) -> None:
    book = Book(tmp_path / "book", now=clock)
    book.count(CAMERA, {"n_local": 1})
    book.count(OTHER, {"n_local": 1})
    book.keep_only([OTHER])
    book.save()
    assert set(Book(tmp_path / "book", now=clock).states({})) == {OTHER}


@pytest.mark.parametrize("content", [b"", b"\xff nonsense", b"\x81\xa3abc\x01"])
def test_a_file_that_cannot_be_read_begins_anew(
    tmp_path: Path, clock: Clock, content: bytes
) -> None:
    path = tmp_path / "book"
    path.write_bytes(content)
    book = Book(path, now=clock)
    assert book.states({}) == {}
    assert spend_all(book) == 100


def test_a_disk_that_is_full_stops_no_camera(tmp_path: Path, clock: Clock) -> None:
    book = Book(tmp_path / "no such folder" / "book", now=clock)
    book.count(CAMERA, {"n_local": 1})
    book.save()
    assert spend_all(book) == 100
