"""Walking a lane from any number meets each entry once, or a gap that counts it."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

import apsw
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from edge_agent.spool.spool import New, Run, Spool
from processing.wire.messages import LANES, Gap, Lane

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
lanes = st.sampled_from(LANES)


def walk(spool: Spool, lane: Lane, after_seq: int = 0) -> Iterator[tuple[int, bytes | None]]:
    """Yield every number after `after_seq` with its body, or with None where there is a gap."""
    while found := spool.pending(lane, after_seq, limit=3, max_bytes=500, now=NOW):
        match found:
            case Run():
                assert found.first_seq == after_seq + 1
                yield from enumerate(found.bodies, found.first_seq)
            case Gap():
                assert found.first_seq == after_seq + 1
                yield from ((seq, None) for seq in range(found.first_seq, found.last_seq + 1))
        after_seq = found.last_seq


def test_it_works(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "outbox.db", capacity_bytes=1_000_000)
    assert spool.append([New("results", NOW, b"a"), New("alerts", NOW, b"b")], now=NOW) == [1, 1]
    assert spool.append([New("results", NOW, b"c")], now=NOW) == [2]
    assert list(walk(spool, "results")) == [(1, b"a"), (2, b"c")]
    spool.ack("results", 1, now=NOW)
    assert [state.n_pending for state in spool.states()] == [1, 0, 1, 0]
    spool.close()


def test_a_number_is_never_given_twice_although_nothing_is_left(tmp_path: Path) -> None:
    for expected in (1, 2, 3):
        spool = Spool(tmp_path / "outbox.db", capacity_bytes=1_000_000)
        assert spool.append([New("results", NOW, b"a")], now=NOW) == [expected]
        spool.ack("results", expected, now=NOW + timedelta(days=expected * 2))
        spool.close()


def test_a_hub_back_from_a_backup_gets_again_what_it_has_forgotten(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "outbox.db", capacity_bytes=1_000_000)
    spool.append([New("results", NOW, b"%d" % n) for n in range(5)], now=NOW)
    spool.ack("results", 5, now=NOW)
    assert [body for _, body in walk(spool, "results", 2)] == [b"2", b"3", b"4"]
    spool.close()


def test_what_was_let_go_before_a_hub_forgot_it_is_a_gap(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "outbox.db", capacity_bytes=1_000_000)
    spool.append([New("results", NOW, b"%d" % n) for n in range(5)], now=NOW)
    spool.ack("results", 5, now=NOW + timedelta(days=2))
    found = spool.pending("results", 2, limit=10, max_bytes=1000, now=NOW)
    assert isinstance(found, Gap)
    assert (found.first_seq, found.last_seq, found.reason) == (3, 5, "outbox_full")
    spool.close()


def test_pictures_go_before_results_and_results_before_events(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "outbox.db", capacity_bytes=3000)
    for lane in LANES:
        spool.append([New(lane, NOW, bytes(500))], now=NOW)
    spool.append([New("alerts", NOW, bytes(2000))], now=NOW)
    kept = {lane: [body is not None for _, body in walk(spool, lane)] for lane in LANES}
    assert kept == {"alerts": [True, True], "events": [False], "results": [False], "media": [False]}
    spool.close()


def test_a_damaged_entry_becomes_a_gap_and_the_rest_is_delivered(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    spool = Spool(path, capacity_bytes=1_000_000)
    spool.append([New("results", NOW, b"body %d" % n) for n in range(4)], now=NOW)
    spool.close()
    with apsw.Connection(str(path)) as db:
        db.execute("UPDATE entries SET body = CAST('body X' AS BLOB) WHERE body = ?", (b"body 2",))
    spool = Spool(path, capacity_bytes=1_000_000)
    assert [body for _, body in walk(spool, "results")] == [
        b"body 0",
        b"body 1",
        None,
        b"body 3",
    ]
    assert [letter.seq for letter in spool.dead_letters()] == [3]
    spool.close()


class Machine(RuleBasedStateMachine):
    """Appends, acknowledges, closes, is killed; a tiny capacity makes it drop as well."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.n_files = 0
        self.bodies: dict[Lane, list[bytes | None]] = {lane: [] for lane in LANES}

    @initialize(capacity=st.sampled_from([900, 5_000, 1_000_000]))
    def open(self, capacity: int) -> None:
        self.capacity = capacity
        self.spool = Spool(self.folder / "0.db", capacity_bytes=capacity)
        self.epoch = self.spool.epoch

    @rule(entries=st.lists(st.tuples(lanes, st.binary(max_size=200)), min_size=1, max_size=8))
    def append(self, entries: list[tuple[Lane, bytes]]) -> None:
        seqs = self.spool.append([New(lane, NOW, body) for lane, body in entries], now=NOW)
        for (lane, body), seq in zip(entries, seqs, strict=True):
            self.bodies[lane].append(body)
            assert seq == len(self.bodies[lane])

    @rule(lane=lanes, n=st.integers(1, 3))
    def skip(self, lane: Lane, n: int) -> None:
        self.spool.skip(lane, n, "outbox_full", now=NOW)
        self.bodies[lane] += [None] * n

    @rule(lane=lanes, share=st.floats(0.0, 1.2), later=st.integers(0, 2))
    def ack(self, lane: Lane, share: float, later: int) -> None:
        self.spool.ack(lane, int(len(self.bodies[lane]) * share), now=NOW + timedelta(days=later))

    @rule(lane=lanes, share=st.floats(0.0, 1.0))
    def quarantine(self, lane: Lane, share: float) -> None:
        seq = int(len(self.bodies[lane]) * share)
        if seq:
            self.spool.quarantine(lane, seq, "refused", now=NOW)
            self.bodies[lane][seq - 1] = None

    @rule()
    def reopen(self) -> None:
        path = self.spool.path
        self.spool.close()
        self.spool = Spool(path, capacity_bytes=self.capacity)

    @rule()
    def be_killed(self) -> None:
        """Go on with the files as they lie, which is what a killed process leaves."""
        self.n_files += 1
        path = self.folder / f"{self.n_files}.db"
        for suffix in ("", "-wal"):
            shutil.copy(f"{self.spool.path}{suffix}", f"{path}{suffix}")
        self.spool.close()
        self.spool = Spool(path, capacity_bytes=self.capacity)

    @invariant()
    def every_number_is_there_or_counted(self) -> None:
        assert self.spool.epoch == self.epoch
        for lane, bodies in self.bodies.items():
            assert self.spool.last_seq(lane) == len(bodies)
            acked = self.spool.acked_through(lane)
            for after in (0, acked):
                walked = list(walk(self.spool, lane, after))
                assert [seq for seq, _ in walked] == list(range(after + 1, len(bodies) + 1))
                for seq, body in walked:
                    assert body in (None, bodies[seq - 1])
                    if self.capacity > 100_000 and seq > acked:
                        assert body == bodies[seq - 1]

    @invariant()
    def counts_are_those_of_the_file(self) -> None:
        for lane, rows in self.spool._lanes.items():
            assert rows.counts.pending == rows._measure(rows.counts.acked_through, 2**40), lane
            assert rows.counts.retained == rows._measure(0, rows.counts.acked_through), lane
        # One transaction may bring more than the capacity only if it alone is larger.
        assert self.spool.n_bytes <= max(self.capacity, 0)

    def teardown(self) -> None:
        self.spool.close()
        shutil.rmtree(self.folder)


def test_whatever_happens(soaked: Callable[[int], int]) -> None:
    n_runs = settings(max_examples=soaked(2000), stateful_step_count=25, deadline=None)
    run_state_machine_as_test(Machine, settings=n_runs)
