"""Where all that the hub must have waits for it: on disk, numbered, whatever happens meanwhile.

Any thread appends and is never made to wait. One thread writes: what came within a few
milliseconds becomes one transaction. When the disk refuses, entries wait in memory; when that is
full too, they are counted, and the count is stored as a gap as soon as the disk allows.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Final, Protocol, TypeVar

import msgspec
import structlog

from edge_agent.backlog import Backlog, Entry, Waiting
from edge_agent.clock import Clock
from edge_agent.ledger import Ledger
from edge_agent.spool.ballast import Ballast, free_bytes
from edge_agent.spool.database import DiskFull, SpoolDamaged, SpoolRefused
from edge_agent.spool.lane import GapReason
from edge_agent.spool.salvage import delete, move_over, put_aside
from edge_agent.spool.spool import New, Run, Spool
from processing.wire.messages import (
    EventRaised,
    Gap,
    Lane,
    LaneState,
    Rejection,
    Result,
    SampleOffered,
    Thumbnail,
)

T = TypeVar("T")

_GROUP_S: Final = 0.04
_GROUP_ENTRIES: Final = 100
_RETRY_S: Final = 0.5
_ACK_S: Final = 1.0
_BRINK_BYTES: Final = 8 * 1024 * 1024
"""Of free space: a commit needs some of it for the log, which may be half as large."""
_EXTRA_ROOM_SHARE: Final = 8
"""What goes when the disk is full: one part in this many of what the outbox holds."""

_encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode

log = structlog.get_logger()


class Problems(Protocol):
    """Tells people what is wrong, until it is not."""

    def problem(self, key: str, text: str) -> None: ...

    def solved(self, key: str) -> None: ...


def lane_of(entry: Entry) -> Lane:
    """Return the lane in which an entry travels."""
    match entry:
        case Result():
            return "results"
        case SampleOffered() | Thumbnail():
            return "media"
        case EventRaised(severity="info"):
            return "events"
        case EventRaised():
            return "alerts"


class Outbox:
    """Call `close` at the end: it writes what still waits."""

    def __init__(
        self,
        path: Path,
        *,
        capacity_bytes: int,
        now: Clock,
        problems: Problems,
        ledger: Ledger | None = None,
    ) -> None:
        """Open or make the file; one that is damaged is put aside. Raise `SpoolRefused`."""
        self._path = path
        self._capacity_bytes = capacity_bytes
        self._now = now
        self._problems = problems
        self._ledger = ledger
        self._on_commit: Callable[[], None] = lambda: None
        self._ballast = Ballast(path.with_suffix(".ballast"))
        self._changed = threading.Condition()
        self._backlog = Backlog()
        self._calls: deque[Callable[[], None]] = deque()
        self._acks: dict[Lane, int] = {}
        self._ack_at: float | None = None
        """When to write the acks that wait, monotonic."""
        self._is_closing = False
        self._retry_at = 0.0
        self._spool = self._open()
        self._ballast.restore()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------ for any thread

    def call_on_commit(self, on_commit: Callable[[], None]) -> None:
        """Call this, on the outbox's thread, whenever there is something new to send."""
        self._on_commit = on_commit

    @property
    def epoch(self) -> int:
        """Return the epoch of the numbers; it changes when the file had to be replaced."""
        return self._spool.epoch

    def append(self, entry: Entry) -> None:
        """Take an entry; it is on disk within a few milliseconds. Never waits."""
        if self._ledger is not None and isinstance(entry, Result):
            self._ledger.intend(entry)
        lane = lane_of(entry)
        at = entry.occurred_at if isinstance(entry, EventRaised) else entry.captured_at
        body = _encode(entry)
        with self._changed:
            self._backlog.add(Waiting(New(lane, at, body), entry))
            n_waiting = len(self._backlog)
            # Between the first and the last of a group there is nothing to do but wait.
            if n_waiting == 1 or n_waiting >= _GROUP_ENTRIES or self._retry_at:
                self._changed.notify()

    def pending(
        self, lane: Lane, after_seq: int, *, limit: int, max_bytes: int
    ) -> Future[Run | Gap | None]:
        """Return what follows `after_seq` in a lane; see `Spool.pending`."""
        return self._call(
            lambda: self._spool.pending(
                lane, after_seq, limit=limit, max_bytes=max_bytes, now=self._now()
            )
        )

    def last_seq(self, lane: Lane) -> int:
        """Return the highest number that is on disk; any thread may look without waiting."""
        return self._spool.last_seq(lane)

    def ack(self, lane: Lane, epoch: int, through_seq: int) -> None:
        """Note what the hub has committed; of another epoch it means nothing.

        It is written now and then: should it be forgotten, the hub's next welcome says it again.
        """
        with self._changed:
            if epoch == self._spool.epoch:
                self._acks[lane] = max(through_seq, self._acks.get(lane, 0))
            if self._ack_at is None:
                self._ack_at = time.monotonic() + _ACK_S
                self._changed.notify()

    def reject(self, lane: Lane, epoch: int, rejections: tuple[Rejection, ...]) -> None:
        """Keep what the hub will never store as dead letters."""

        def bury() -> None:
            if epoch == self._spool.epoch:
                for rejection in rejections:
                    self._spool.bury(
                        lane, rejection.seq, rejection.code, rejection.detail, now=self._now()
                    )

        self._call(bury)

    def quarantine(self, lane: Lane, seq: int, reason: GapReason) -> Future[None]:
        """Take an entry out: it becomes a gap and a dead letter."""
        return self._call(lambda: self._spool.quarantine(lane, seq, reason, now=self._now()))

    def begin_epoch(self) -> Future[None]:
        """Number what the hub has not taken anew, in a new file: its numbers are not ours."""
        return self._call(self._replace_file)

    def states(self) -> Future[tuple[LaneState, ...]]:
        """Return how full each lane is."""
        return self._call(self._states)

    def look(self, read: Callable[[Spool], T]) -> Future[T]:
        """Return what `read` finds out, which is called on the outbox's thread."""
        return self._call(lambda: read(self._spool))

    def close(self) -> None:
        """Write what waits, once more if the disk refuses, and close the file."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join()
        self._spool.close()

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work, timeout=self._patience_s())
                is_closing = self._is_closing
                if self._backlog and not self._calls and not is_closing:
                    self._changed.wait_for(self._is_group_full, timeout=_GROUP_S)
                calls = tuple(self._calls)
                self._calls.clear()
            if time.monotonic() >= self._retry_at or is_closing:
                self._write()
            if is_closing or self._is_ack_due():
                self._write_acks()
            for call in calls:
                call()
            if is_closing:
                return

    def _has_work(self) -> bool:
        may_write = time.monotonic() >= self._retry_at
        is_due = self._is_ack_due() or (self._backlog and may_write)
        return bool(self._calls or self._is_closing or is_due)

    def _is_ack_due(self) -> bool:
        return self._ack_at is not None and time.monotonic() >= self._ack_at

    def _is_group_full(self) -> bool:
        return bool(len(self._backlog) >= _GROUP_ENTRIES or self._calls or self._is_closing)

    def _patience_s(self) -> float | None:
        if self._backlog:
            return _RETRY_S
        return None if self._ack_at is None else max(0.0, self._ack_at - time.monotonic())

    def _write(self) -> None:
        """Commit what waits, group by group, until nothing does or the disk refuses."""
        while True:
            with self._changed:
                group, lost = self._backlog.take(_GROUP_ENTRIES), dict(self._backlog.lost)
            if not group and not lost:
                return
            try:
                seqs = self._commit([waiting.new for waiting in group], lost)
            except (SpoolRefused, SpoolDamaged) as error:
                with self._changed:
                    self._backlog.give_back(group)
                if isinstance(error, SpoolRefused):
                    self._refused(error)
                    return
                self._damaged(error)
            else:
                self._committed(group, seqs)

    def _commit(self, news: list[New], lost: dict[Lane, int]) -> list[int]:
        if self._is_at_brink():
            # From here on the file takes no more of the disk: what comes in pushes out as much.
            self._spool.drop_some(sum(len(new.body) for new in news), now=self._now())
        try:
            return self._append(news, lost)
        except DiskFull:
            # Pages that are free inside the file need no room on the disk.
            self._ballast.release()
            self._spool.drop_some(self._spool.n_bytes // _EXTRA_ROOM_SHARE, now=self._now())
            return self._append(news, lost)

    def _is_at_brink(self) -> bool:
        try:
            return free_bytes(self._path.parent) < _BRINK_BYTES
        except OSError:
            return False  # the commit will say what is wrong

    def _append(self, news: list[New], lost: dict[Lane, int]) -> list[int]:
        now = self._now()
        while lost:
            lane, n = next(iter(lost.items()))
            self._spool.skip(lane, n, "outbox_full", now=now)
            del lost[lane]
            with self._changed:
                self._backlog.lost -= Counter({lane: n})
        return self._spool.append(news, now=now)

    def _committed(self, group: list[Waiting], seqs: list[int]) -> None:
        if self._ledger is not None:
            for waiting, seq in zip(group, seqs, strict=True):
                if isinstance(waiting.entry, Result):
                    self._ledger.made(waiting.entry, epoch=self._spool.epoch, seq=seq)
        if self._retry_at:
            self._retry_at = 0.0
            self._problems.solved("outbox")
        self._ballast.restore()
        self._on_commit()

    def _take_acks(self) -> dict[Lane, int]:
        with self._changed:
            acks, self._acks, self._ack_at = self._acks, {}, None
        return acks

    def _write_acks(self) -> None:
        try:
            for lane, through_seq in self._take_acks().items():
                self._spool.ack(lane, through_seq, now=self._now())
        except SpoolRefused as error:
            self._refused(error)
        except SpoolDamaged as error:
            self._damaged(error)

    def _refused(self, error: SpoolRefused) -> None:
        self._retry_at = time.monotonic() + _RETRY_S
        self._problems.problem(
            "outbox", f"results cannot be stored: {error}. Free some space on {self._path.parent}"
        )
        if not isinstance(error, DiskFull):
            self._reopen()

    # ------------------------------------------------------------ the file

    def _open(self) -> Spool:
        try:
            return Spool(self._path, capacity_bytes=self._capacity_bytes)
        except SpoolDamaged as error:
            return self._put_aside_and_open(error)

    def _reopen(self) -> None:
        """Open the file anew: after a failed write, what the connection remembers may be wrong."""
        old = self._spool
        try:
            self._spool = self._open()
        except SpoolRefused:
            return
        old.close()

    def _damaged(self, error: SpoolDamaged) -> None:
        self._spool.close()
        try:
            self._spool = self._put_aside_and_open(error)
        except SpoolRefused as refusal:
            self._refused(refusal)

    def _put_aside_and_open(self, error: SpoolDamaged) -> Spool:
        aside = put_aside(self._path, "corrupt", self._now())
        spool = Spool(self._path, capacity_bytes=self._capacity_bytes)
        n_saved = move_over(aside, spool, self._take_acks(), now=self._now())
        text = (
            f"the outbox was damaged ({error}); {n_saved} entries were saved from it, "
            f"the file is kept as {aside.name}"
        )
        self._problems.problem("outbox.damaged", text)
        event = EventRaised(
            kind="outbox_damaged",
            occurred_at=self._now(),
            title="The agent's outbox was damaged; results may be missing",
            detail=text,
            severity="error",
        )
        spool.append([New("alerts", event.occurred_at, _encode(event))], now=event.occurred_at)
        return spool

    def _replace_file(self) -> None:
        self._spool.close()
        aside = put_aside(self._path, "before", self._now())
        self._spool = Spool(self._path, capacity_bytes=self._capacity_bytes)
        n_moved = move_over(aside, self._spool, self._take_acks(), now=self._now())
        log.warning("outbox.begun_anew", epoch=self._spool.epoch, n_moved=n_moved)
        self._tell(
            "outbox_begun_anew",
            "The agent numbers its outbox anew; results may have come twice",
            f"the hub had more of it than this machine: is it a copy of an older one? "
            f"{n_moved} entries go on in the new file",
        )
        delete(aside)

    def _tell(self, kind: str, title: str, detail: str) -> None:
        """Put an alert into the file, which is new."""
        event = EventRaised(
            kind=kind, occurred_at=self._now(), title=title, detail=detail, severity="error"
        )
        self._spool.append([New("alerts", event.occurred_at, _encode(event))], now=self._now())

    # ------------------------------------------------------------ small

    def _states(self) -> tuple[LaneState, ...]:
        self._write_acks()
        return self._spool.states()

    def _call(self, work: Callable[[], T]) -> Future[T]:
        """Do this on the outbox's thread."""
        future: Future[T] = Future()

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return  # nobody waits for it any more
            try:
                future.set_result(work())
            except SpoolDamaged as error:
                self._damaged(error)
                future.set_exception(error)
            except SpoolRefused as error:
                future.set_exception(error)

        with self._changed:
            self._calls.append(call)
            self._changed.notify()
        return future
