"""A source that is read in a thread, again and again, while another thread looks after it.

Opening and reading happen in C code that Python cannot interrupt, and that does not always keep
its own timeouts. So whoever reads is never the one who tells that nothing comes; and a thread that
hangs is left behind, cut off from everything, and another one tries.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from edge_agent.backoff import Backoff
from processing.media.decode import SourceLost, Unauthorized
from processing.media.packets import PacketTap

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

_STALL_S: Final = 2.0
"""And two intervals: a source that sent nothing for so long has stalled."""
_HANG_S: Final = 25.0
"""Longer than opening and reading may take together."""
_MOST_HANGING: Final = 3
"""Threads of one source; each holds memory and perhaps a connection for good."""
_LOOK_S: Final = 1.0
_INTERVALS: Final = 9
_BACKOFF_BASE_S: Final = 0.25
_BACKOFF_CAP_S: Final = 30.0
_UNAUTHORIZED_S: Final = 60.0
"""Between two tries of a password that was refused."""
_STABLE_S: Final = 5.0
"""Only a source that has sent for so long is back; else each flicker would be news."""

log = structlog.get_logger()


class Reading:
    """One connection. `tap` forwards to the recorder until the reading is cut off."""

    def __init__(self, read: Callable[["Reading"], None], tap: PacketTap | None, name: str) -> None:
        self._read = read
        self._wake: Callable[[], None] = lambda: None
        self._intervals: deque[float] = deque(maxlen=_INTERVALS)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.stop: Final = threading.Event()
        self.tap: Final = _SeverableTap(tap, self.stop)
        self.lost: SourceLost | None = None
        """Why it ended, once it did; an ending because of `stop` has no reason."""
        self.n_beats = 0
        self.last = time.monotonic()
        """When it began, or something came last; monotonic."""
        self.first = self.last
        """When something came first; monotonic."""
        self.is_silent = True
        """Nothing comes; set by whoever looks after it, who is woken when something does."""
        self.is_over: Final = threading.Event()
        self._is_working = False

    def start(self, wake: Callable[[], None]) -> None:
        """Begin to read; `wake` is called when something is new to whoever looks after it."""
        self._wake = wake
        self._thread.start()

    def beat(self) -> None:
        """Note that something came; called by the thread that reads."""
        now = time.monotonic()
        if self.n_beats:
            self._intervals.append(now - self.last)
        else:
            self.first = now
        self.last = now
        self.n_beats += 1
        if self.is_silent:
            self._wake()

    def work(self, work: Callable[[], None]) -> None:
        """Deal with what came; however long that takes, the source is not silent meanwhile."""
        self._is_working = True
        try:
            work()
        finally:
            self.last = time.monotonic()
            self._is_working = False

    def silent_s(self) -> float:
        """Return for how long nothing has come."""
        return 0.0 if self._is_working else time.monotonic() - self.last

    def patience_s(self) -> float:
        """Return how long it may be silent before it counts as stalled."""
        return _STALL_S + 2.0 * (median(self._intervals) if self._intervals else 0.0)

    def join(self, timeout_s: float) -> None:
        if self._thread.is_alive():  # and not one that was never started
            self._thread.join(timeout_s)

    def sever(self) -> None:
        """Leave it behind: whatever it may still do reaches nobody."""
        self.stop.set()
        self.tap.sever()

    def _run(self) -> None:
        try:
            self._read(self)
        except SourceLost as lost:
            self.lost = lost
        finally:
            self.is_over.set()
            self._wake()


class _SeverableTap:
    """A `PacketTap` that ends the thread it is called by, once that shall stop."""

    def __init__(self, tap: PacketTap | None, stop: threading.Event) -> None:
        self._tap = tap
        self._stop = stop
        self._lock = threading.Lock()
        self._is_begun = False

    def begin(self, stream: "VideoStream") -> None:
        self._go_on()
        with self._lock:
            if self._tap is not None:
                self._is_begun = True
                self._tap.begin(stream)

    def take(self, packet: "Packet[VideoStream]", at: datetime) -> None:
        self._go_on()
        with self._lock:
            if self._tap is not None:
                self._tap.take(packet, at)

    def end(self) -> None:
        with self._lock:
            if self._tap is not None and self._is_begun:
                self._is_begun = False
                self._tap.end()

    def sever(self) -> None:
        self.end()
        with self._lock:
            self._tap = None

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise SourceLost("nobody reads it any more")


class Listener(Protocol):
    """Reads, and is told how it goes; all but `read` by one thread."""

    def read(self, reading: Reading) -> None:
        """Open the source and read it until `reading.stop` is set; call `beat` for what comes.

        Called by the reading's own thread. Raise `SourceLost`.
        """

    def rests(self) -> bool:
        """Return whether nothing shall be read just now; asked every second."""

    def came(self) -> None:
        """Something came, for the first time of this connection or after a stall."""

    def stalled(self, silent_s: float) -> None:
        """Nothing has come for so long, though the connection is not lost."""

    def lost(self, reason: SourceLost) -> None:
        """The connection is lost; another will be tried."""

    def steady(self) -> None:
        """The connection has lasted for a while."""

    def hangs(self, n_threads: int) -> None:
        """So many threads hang for good; none is started beside them. 0: no longer."""


class Reader:
    """Keeps one source read, until it is stopped."""

    def __init__(
        self, listener: Listener, *, tap: PacketTap | None, name: str, dice: Callable[[], float]
    ) -> None:
        self._listener = listener
        self._tap = tap
        self._name = name
        self._backoff = Backoff(base_s=_BACKOFF_BASE_S, cap_s=_BACKOFF_CAP_S, dice=dice)
        self._stop = threading.Event()
        self._news = threading.Event()
        self._reading: Reading | None = None
        self._hanging: list[Reading] = []
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask for the end; reading may take as long as its timeout until it ends."""
        self._stop.set()
        if reading := self._reading:
            reading.stop.set()
        self._news.set()

    @property
    def is_stopped(self) -> bool:
        return self._stop.is_set()

    def reopen(self) -> None:
        """Open the source anew: how it is to be opened has changed."""
        if reading := self._reading:
            reading.stop.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the end, but not for a thread that hangs: it dies with the process."""
        deadline = time.monotonic() + timeout_s
        self._thread.join(timeout_s)
        if reading := self._reading:
            reading.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._listener.rests() or self._too_many_hang():
                self._stop.wait(_LOOK_S)
                continue
            reading = self._reading = Reading(self._listener.read, self._tap, self._name)
            if self._stop.is_set():  # asked in between, with no reading to tell it to
                return
            reading.start(self._news.set)
            self._look_after(reading)
            lost = reading.lost
            if lost is not None and not reading.stop.is_set():
                self._try_later(lost)

    def _look_after(self, reading: Reading) -> None:
        """Return when it is over, or has been left behind."""
        is_steady = False
        while not (reading.is_over.is_set() or self._stop.is_set()):
            self._news.clear()
            silent_s = reading.silent_s()
            if silent_s > _HANG_S:
                self._leave_behind(reading)
                return
            if self._tell_silence(reading, silent_s):
                continue
            if (
                not (is_steady or reading.is_silent)
                and time.monotonic() - reading.first > _STABLE_S
            ):
                is_steady = True
                self._backoff.reset()
                self._listener.steady()
            if self._listener.rests():
                reading.stop.set()
            left_s = _LOOK_S if reading.is_silent else reading.patience_s() - silent_s
            self._news.wait(min(_LOOK_S, left_s))

    def _tell_silence(self, reading: Reading, silent_s: float) -> bool:
        """Tell when it begins to send, stalls, and goes on; return whether any was told."""
        is_silent = not reading.n_beats or silent_s >= reading.patience_s()
        if is_silent == reading.is_silent:
            return False
        reading.is_silent = is_silent
        if is_silent:
            self._listener.stalled(silent_s)
        else:
            self._listener.came()
        return True

    def _leave_behind(self, reading: Reading) -> None:
        reading.sever()
        self._hanging.append(reading)
        log.warning("reading.left_behind", source=self._name, n_hanging=len(self._hanging))
        self._try_later(SourceLost(f"it hangs: nothing came for {_HANG_S:.0f} s"))

    def _too_many_hang(self) -> bool:
        n_before = len(self._hanging)
        self._hanging = [reading for reading in self._hanging if not reading.is_over.is_set()]
        n = len(self._hanging)
        if n >= _MOST_HANGING:
            self._listener.hangs(n)
        elif n_before >= _MOST_HANGING:
            self._listener.hangs(0)
        return n >= _MOST_HANGING

    def _try_later(self, lost: SourceLost) -> None:
        self._listener.lost(lost)
        pause_s = self._backoff.next_s()
        if isinstance(lost, Unauthorized):
            pause_s = max(pause_s, _UNAUTHORIZED_S)
        self._stop.wait(pause_s)
