"""Starts the engines of a pool's devices, takes out those that fail, and tries them again.

One thread does it all; whatever may hang (starting an engine, closing one) has a thread of its own
that may be left behind.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol, TypeAlias

import numpy as np
import structlog

from processing.inference.bundle import BadBundle
from processing.inference.detector import Detector, InferenceFailed
from processing.inference.device_names import LAST_RESORT
from processing.inference.errands import Errands, Run
from processing.vision.frame import Frame

_END_S: Final = 5.0
"""For an engine to close; then it is left behind."""
_MOST_STUCK: Final = 3
"""Engines of a device that do not close; with so many it is not tried again."""

Start: TypeAlias = Callable[[str], Detector]
"""Opens an engine on a device. May take long; raises `BadBundle`."""
Failure: TypeAlias = BadBundle | InferenceFailed

log = structlog.get_logger()


class Problems(Protocol):
    """Tells people what is wrong, until it is not. The same may be said many times."""

    def problem(self, key: str, text: str) -> None: ...

    def solved(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """When to take a device out, and when to try it again. All times in seconds."""

    n_failures: int = 3
    """Frames in a row."""
    hang_s: float = 3.0
    """Few networks take so long for a frame."""
    hang_times: float = 10.0
    """A slower one is given this many times what it takes by itself."""
    slow_start_s: float = 10.0
    """A device that takes longer to start for the first time has the last resort stand in."""
    retry_s: float = 5.0
    retry_most_s: float = 600.0
    steady_s: float = 60.0
    """After so long at work, earlier failures are forgotten."""
    look_s: float = 0.25

    def until_retry_s(self, n_tries: int) -> float:
        """Return how long to wait after this many tries in vain."""
        return float(min(self.retry_most_s, self.retry_s * 2.0 ** min(n_tries - 1, 20)))


@dataclass(slots=True, eq=False)
class _Seat:
    """A device of the pool, at work or not."""

    device: str
    is_named: bool
    """In the settings; the other is the last resort."""
    run: Run | None = None
    starting_since: float | None = None
    """Monotonic."""
    n_tries: int = 0
    """In vain, since it last did well."""
    try_at: float = 0.0
    failure: Failure | None = None
    n_stuck: int = 0


@dataclass(frozen=True, slots=True)
class _Started:
    """A start has ended, well or not."""

    seat: _Seat
    outcome: Run | Failure


@dataclass(frozen=True, slots=True)
class _Closed:
    """An engine that was given up has closed after all."""

    seat: _Seat


@dataclass(frozen=True, slots=True)
class _Look:
    """Something has changed."""


@dataclass(frozen=True, slots=True)
class _End:
    """The pool is closed."""


_News: TypeAlias = _Started | _Closed | _Look | _End


class DeviceKeeper:
    """Its public methods may be called by any thread; the others are its own thread's."""

    def __init__(
        self,
        devices: Sequence[str],
        start: Start,
        *,
        errands: Errands,
        problems: Problems,
        patience: Patience,
    ) -> None:
        self.at_work: tuple[Run, ...] = ()
        """In the order of the settings; replaced whole, never changed."""
        self._start = start
        self._errands = errands
        self._problems = problems
        self._patience = patience
        self._seats = [_Seat(device, is_named=True) for device in devices]
        if LAST_RESORT not in devices:
            self._seats.append(_Seat(LAST_RESORT, is_named=False))
        self._leaving: list[Run] = []
        """Runs that only answer what they have."""
        self._looked_at = errands.clock()
        self._news: queue.SimpleQueue[_News] = queue.SimpleQueue()
        errands.call_on_failing(lambda: self._news.put(_Look()))
        self._first: queue.SimpleQueue[Failure | None] = queue.SimpleQueue()
        self._has_begun = False
        self._has_ended = False
        self._thread = threading.Thread(target=self._keep, name="devices", daemon=True)
        self._thread.start()

    def wait_for_start(self) -> Failure | None:
        """Return None once a device runs, or why none does. Call it once."""
        return self._first.get()

    def close(self) -> None:
        """Close all engines, as far as they let themselves be closed."""
        self._news.put(_End())
        self._thread.join()

    # ------------------------------------------------------------ the thread

    def _keep(self) -> None:
        is_open = True
        while is_open:
            self._look()
            try:
                is_open = self._hear(self._news.get(timeout=self._patience.look_s))
            except queue.Empty:
                continue
        runs = [*(seat.run for seat in self._seats), *self._leaving]
        for thread in [_close(run.engine) for run in runs if run is not None]:
            thread.join(_END_S)
        self._has_ended = True
        self._close_late()

    def _hear(self, news: _News) -> bool:
        """Take the news in; return whether the pool goes on."""
        match news:
            case _Started(seat, Run() as run):
                seat.starting_since, seat.run = None, run
                log.info("device.runs", device=seat.device)
            case _Started(seat, BadBundle() | InferenceFailed() as failure):
                seat.starting_since = None
                self._fail(seat, failure)
            case _Closed(seat):
                seat.n_stuck -= 1
            case _:
                pass
        return not isinstance(news, _End)

    def _look(self) -> None:
        now = self._errands.clock()
        self._excuse_standstill(now)
        for seat in self._seats:
            self._judge(seat, now)
        self._relieve_last_resort(now)
        self._publish()
        if self._has_begun or not self._have_all_failed():
            for seat in self._seats:
                if self._is_due(seat, now):
                    self._start_in_background(seat, now)
        self._tell()

    def _publish(self) -> None:
        self.at_work = tuple(seat.run for seat in self._seats if seat.run is not None)
        if self._has_begun:
            return
        if self.at_work:
            self._has_begun = True
            self._first.put(None)
        elif self._have_all_failed():
            self._first.put(self._seats[0].failure)

    def _have_all_failed(self) -> bool:
        return not self.at_work and all(seat.n_tries for seat in self._seats)

    def _excuse_standstill(self, now: float) -> None:
        """Do not hold a machine that slept, or had no time for us, against its devices."""
        late_s = now - self._looked_at - 2 * self._patience.look_s
        self._looked_at = now
        if late_s > 0:
            for run in (*self.at_work, *self._leaving):
                self._errands.excuse(run, late_s)

    def _judge(self, seat: _Seat, now: float) -> None:
        run = seat.run
        if run is None:
            return
        reason = self._why_give_up(run, now)
        if reason is not None:
            seat.run = None
            self._errands.give_up(run, f"{run.device} failed: {reason}")
            self._close_forsaken(seat, run)
            self._fail(seat, InferenceFailed(reason))
        elif now - run.began > self._patience.steady_s:
            seat.n_tries = 0

    def _why_give_up(self, run: Run, now: float) -> str | None:
        if run.n_failed >= self._patience.n_failures:
            return run.last_failure
        begun = self._errands.oldest_begun(run)
        if begun is not None and now - begun > run.hang_s:
            return f"it has not answered for {run.hang_s:.3g} s"
        return None

    def _fail(self, seat: _Seat, failure: Failure) -> None:
        seat.failure = failure
        seat.n_tries += 1
        is_at_once = seat.device == LAST_RESORT and seat.n_tries == 1
        wait_s = 0.0 if is_at_once else self._patience.until_retry_s(seat.n_tries)
        seat.try_at = self._errands.clock() + wait_s
        log.warning("device.failed", device=seat.device, reason=str(failure), retry_in_s=wait_s)

    def _is_due(self, seat: _Seat, now: float) -> bool:
        is_idle = seat.run is None and seat.starting_since is None
        if not is_idle or now < seat.try_at or seat.n_stuck >= _MOST_STUCK:
            return False
        return seat.is_named or not any(self._is_counted_on(each, now) for each in self._seats)

    def _is_counted_on(self, seat: _Seat, now: float) -> bool:
        """Return whether a named device is at work, or about to be for the first time."""
        since = seat.starting_since
        is_new = seat.n_tries == 0 and seat.run is None
        is_coming = is_new and (since is None or now - since < self._patience.slow_start_s)
        return seat.is_named and (seat.run is not None or is_coming)

    def _relieve_last_resort(self, now: float) -> None:
        """Let the last resort go when a named device is back; it answers what it has."""
        if any(seat.is_named and seat.run is not None for seat in self._seats):
            for seat in self._seats:
                if not seat.is_named and seat.run is not None:
                    self._errands.end(seat.run)
                    self._leaving.append(seat.run)
                    seat.run, seat.n_tries = None, 0
        for run in tuple(self._leaving):
            reason = self._why_give_up(run, now)
            if reason is not None:
                self._errands.give_up(run, f"{run.device} failed: {reason}")
            if self._errands.oldest_begun(run) is None:
                self._leaving.remove(run)
                _close(run.engine)

    def _tell(self) -> None:
        if not self._has_begun:
            return  # whoever opens the pool tells why it cannot
        names = [run.device for run in self.at_work]
        for seat in self._seats:
            if not seat.is_named:
                continue
            key = f"device.{seat.device}"
            if seat.failure is None or seat.run is not None:
                self._problems.solved(key)
            else:
                text = f"{seat.device} failed: {seat.failure}; {_who_works(names)}"
                self._problems.problem(key, text)

    # ------------------------------------------------------------ threads that may hang

    def _start_in_background(self, seat: _Seat, now: float) -> None:
        seat.starting_since = now

        def start() -> None:
            self._news.put(_Started(seat, self._started(seat.device)))
            if self._has_ended:
                self._close_late()

        threading.Thread(target=start, name=f"start {seat.device}", daemon=True).start()

    def _started(self, device: str) -> Run | Failure:
        """Return an engine that has proven that it runs, or why there is none."""
        try:
            engine = self._start(device)
        except BadBundle as error:
            return error
        try:
            engine.detect(_grey_frame())
            # The first look may include what a device puts off until then.
            begun = self._errands.clock()
            engine.detect(_grey_frame())
        except InferenceFailed as failure:
            _close(engine)
            return failure
        now = self._errands.clock()
        hang_s = max(self._patience.hang_s, self._patience.hang_times * (now - begun))
        return Run(device, engine, began=now, hang_s=hang_s)

    def _close_late(self) -> None:
        """Close the engines that were started too late to be of use."""
        while True:
            try:
                news = self._news.get_nowait()
            except queue.Empty:
                return
            if isinstance(news, _Started) and isinstance(news.outcome, Run):
                _close(news.outcome.engine)

    def _close_forsaken(self, seat: _Seat, run: Run) -> None:
        """Close an engine that may hang for ever, and say when it has closed."""
        seat.n_stuck += 1

        def close() -> None:
            run.engine.close()
            self._news.put(_Closed(seat))

        threading.Thread(target=close, name=f"close {seat.device}", daemon=True).start()


def _close(engine: Detector) -> threading.Thread:
    thread = threading.Thread(target=engine.close, name="close an engine", daemon=True)
    thread.start()
    return thread


def _who_works(names: list[str]) -> str:
    match names:
        case []:
            return "no other device does its work yet"
        case [name]:
            return f"the {name} does its work"
        case _:
            return f"{', '.join(names[:-1])} and {names[-1]} do its work"


def _grey_frame() -> Frame:
    grey = np.full((240, 320), 128, np.uint8)
    chroma = grey[:120, :160]
    return Frame(y=grey, u=chroma, v=chroma, captured_at=datetime.fromtimestamp(0, UTC))
