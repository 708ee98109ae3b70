"""A bit that turned over in the outbox's file: it does no harm, or a person is told.

Each round takes the file of an agent that worked with a hub for a while, turns one bit over, starts
the outbox on it, lets it deliver, stores some more, and compares with what had been stored.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import pytest

from edge_agent.backlog import Entry
from edge_agent.outbox import Outbox, lane_of
from edge_agent.sender import batch_of
from edge_agent.spool.database import SpoolDamaged
from edge_agent.spool.spool import Run, Spool
from processing.wire.messages import LANES, EventRaised, Gap, Lane
from tests.edge_agent.entries import NOW, Noticed, event, result, sample

PAGE: Final = 4096
HEADER: Final = 100
"""Bytes of the file's own header."""
STRUCTURE: Final = 64
"""Bytes at the start of a page that say where its rows are."""
WRITE_VERSION: Final = 18
"""Byte of the header that says whether this SQLite may write."""
NUMBERS_PAGES: Final = (2, 3)
"""Where the epoch and the lanes' numbers lie, at the end of the page."""
TAKEN_SHARE: Final = 3
"""The hub has one in so many of each lane before the bit turns over."""

Place: TypeAlias = tuple[int, Lane, int]
"""Epoch, lane and number of an entry."""

encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode


def stored_entries() -> list[Entry]:
    """Return what the agent stored, no two alike."""
    results = [result(n, n_detections=1 + n % 5) for n in range(400)]
    events = [event(f"Number {n}", is_alert=bool(n % 2)) for n in range(60)]
    return [*results, *events, *(sample(n, n_bytes=3000 + n) for n in range(40))]


@dataclass
class HubBooks:
    """What the hub has of an agent; it takes every number once."""

    entries: dict[Place, bytes] = field(default_factory=dict)
    lost: dict[Place, int] = field(default_factory=dict)
    """How many entries each gap counts, by its first number."""
    cursors: dict[tuple[int, Lane], int] = field(default_factory=dict)

    def take_all(self, outbox: Outbox, *, share: int = 1) -> None:
        """Read the outbox as a connection does, to the end or to one part in `share`."""
        if any(self.cursors.get((outbox.epoch, lane), 0) > outbox.last_seq(lane) for lane in LANES):
            outbox.begin_epoch().result(timeout=20)
        for lane in LANES:
            self._take_lane(outbox, lane, outbox.last_seq(lane) // share)

    def _take_lane(self, outbox: Outbox, lane: Lane, through: int) -> None:
        epoch = outbox.epoch
        while (after := self.cursors.get((epoch, lane), 0)) < through:
            limit = min(50, through - after)
            found = outbox.pending(lane, after, limit=limit, max_bytes=10**6).result(timeout=20)
            assert found is not None  # there is more, the outbox says
            match found:
                case Gap():
                    self.lost[epoch, lane, found.first_seq] = found.last_seq - after
                case Run():
                    batch_of(lane, found, epoch=epoch)  # the sender must be able to read them
                    for seq, body in enumerate(found.bodies, found.first_seq):
                        self.entries.setdefault((epoch, lane, seq), body)
            self.cursors[epoch, lane] = found.last_seq
            outbox.ack(lane, epoch, found.last_seq)


@dataclass(frozen=True)
class Night:
    """An agent's file as it lay on the disk, and the hub's books of the same moment."""

    folder: Path
    books: HubBooks

    def copy_to(self, folder: Path) -> tuple[Path, HubBooks]:
        shutil.copytree(self.folder, folder)
        books = HubBooks(dict(self.books.entries), dict(self.books.lost), dict(self.books.cursors))
        return folder / "outbox.db", books


def open_outbox(path: Path, problems: Noticed) -> Outbox:
    return Outbox(path, capacity_bytes=10**7, now=lambda: NOW, problems=problems)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """The hub has a third of it; the rest is still to be delivered."""
    folder = tmp_path_factory.mktemp("night") / "agent"
    folder.mkdir()
    outbox, books = open_outbox(folder / "outbox.db", Noticed()), HubBooks()
    for entry in stored_entries():
        outbox.append(entry)
    outbox.states().result(timeout=20)
    books.take_all(outbox, share=TAKEN_SHARE)
    outbox.close()
    (folder / "outbox.ballast").unlink()
    yield Night(folder, books)
    shutil.rmtree(folder)


def flip(path: Path, bit: int) -> None:
    """Turn one bit of a file over."""
    with path.open("r+b") as file:
        file.seek(bit // 8)
        [byte] = file.read(1)
        file.seek(bit // 8)
        file.write(bytes([byte ^ (1 << bit % 8)]))


def draw_bit(dice: random.Random, n_bytes: int) -> int:
    """Return a bit: anywhere, or as likely in the file's header, or in that of a page.

    Never one of the few in known weak spots, which have a test each.
    """
    page = dice.randrange(n_bytes // PAGE) * PAGE
    first, n = dice.choice(((0, n_bytes), (0, HEADER), (page, STRUCTURE)))
    byte = first + dice.randrange(n)
    return byte * 8 + dice.randrange(8)


def check(night: Night, folder: Path, bit: int, *, is_open: bool) -> None:
    """Turn a bit over at rest, or under an open outbox; then all must be well, or told."""
    path, books = night.copy_to(folder)
    problems = Noticed()
    if is_open:
        outbox = open_outbox(path, problems)
        flip(path, bit)
    else:
        flip(path, bit)
        outbox = open_outbox(path, problems)
    try:
        deliver(outbox, books)
        later: list[Entry] = [
            *(result(n) for n in range(1000, 1050)),
            *(event(f"Later {n}", is_alert=bool(n % 2)) for n in range(4)),
            *(sample(n) for n in range(1000, 1002)),
        ]
        for entry in later:
            outbox.append(entry)
        outbox.states().result(timeout=20)
        deliver(outbox, books)
        assert outbox._thread.is_alive()
    finally:
        outbox.close()
    compare(books, [*stored_entries(), *later], problems)


def deliver(outbox: Outbox, books: HubBooks) -> None:
    """Connect until one connection delivers all; one that the file ends is tried again."""
    for _ in range(3):
        try:
            books.take_all(outbox)
        except SpoolDamaged:
            continue
        return
    raise AssertionError("it is damaged again and again")


def compare(books: HubBooks, made: list[Entry], problems: Noticed) -> None:
    """Compare what the hub has with what was made."""
    bodies = [(lane_of(entry), encode(entry)) for entry in made]
    delivered = [(lane, body) for (_, lane, _), body in books.entries.items()]
    told = [
        pair for pair in delivered
        if pair[0] == "alerts"
        and msgspec.msgpack.decode(pair[1], type=EventRaised).kind == "outbox_damaged"
    ]  # fmt: skip
    assert set(delivered) - set(told) <= set(bodies), "something altered was delivered"
    missing = set(bodies) - set(delivered)
    n_lost = sum(books.lost.values())
    is_told = bool(told) and "outbox.damaged" in problems.ever
    assert len(missing) <= n_lost or is_told, f"{len(missing)} are missing, {n_lost} are counted"
    n_twice = len(delivered) - len(set(delivered))
    assert not n_twice or is_told, f"{n_twice} came twice and nobody was told"


@pytest.mark.parametrize("is_open", [False, True], ids=["at rest", "while it is open"])
def test_a_bit_that_turned_over_does_no_harm_or_is_told(
    night: Night, tmp_path: Path, soaked: Callable[[int], int], *, is_open: bool
) -> None:
    n_bytes = (night.folder / "outbox.db").stat().st_size
    dice = random.Random(f"bits {is_open}")
    for n in range(soaked(200)):
        bit = draw_bit(dice, n_bytes)
        try:
            check(night, tmp_path / str(n), bit, is_open=is_open)
        except BaseException as error:
            error.add_note(f"round {n}: bit {bit % 8} of byte {bit // 8}")
            raise
        shutil.rmtree(tmp_path / str(n))


# ---------------------------------------------------------------- spots that dice hardly find


def test_a_file_said_to_be_of_a_newer_sqlite_is_put_aside(night: Night, tmp_path: Path) -> None:
    check(night, tmp_path / "agent", WRITE_VERSION * 8, is_open=False)


def test_another_epoch_is_noticed(night: Night, tmp_path: Path) -> None:
    last_byte = (NUMBERS_PAGES[0] + 1) * PAGE - 1
    check(night, tmp_path / "agent", last_byte * 8, is_open=False)


def test_a_body_said_to_be_text_is_delivered_or_counted(night: Night, tmp_path: Path) -> None:
    path, _ = night.copy_to(tmp_path / "agent")
    first, body = (encode(entry) for entry in stored_entries()[:2])
    # Before the body lie instant and digest (8 and 16 bytes), and before them the body's type.
    flip(path, (path.read_bytes().index(body) - 25) * 8)
    spool = Spool(path, capacity_bytes=10**7)
    try:
        found = spool.pending("results", 0, limit=2, max_bytes=10**6, now=NOW)
    finally:
        spool.close()
    assert isinstance(found, Run)
    assert found.bodies[0] == first


def test_a_flip_in_the_log_of_a_killed_agent_is_noticed(tmp_path: Path) -> None:
    alive, killed = tmp_path / "alive", tmp_path / "killed"
    alive.mkdir()
    outbox, problems, books = open_outbox(alive / "outbox.db", Noticed()), Noticed(), HubBooks()
    for entry in stored_entries():
        outbox.append(entry)
    outbox.states().result(timeout=20)
    shutil.copytree(alive, killed)
    outbox.close()
    log = killed / "outbox.db-wal"
    flip(log, log.stat().st_size // 2 * 8)
    outbox = open_outbox(killed / "outbox.db", problems)
    try:
        deliver(outbox, books)
    finally:
        outbox.close()
    compare(books, stored_entries(), problems)
