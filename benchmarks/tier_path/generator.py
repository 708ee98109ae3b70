"""Asks a server at instants that are fixed before: a program of its own, so that its CPU is known.

As the server scenario of MLPerf's LoadGen: whoever asks does not wait for others' answers, and a
server that is slow is asked no less. It says `ready`, waits for a line, and ends with a `Counted`.
With `n_open` instead of a rate it asks again as soon as it is answered: that is how much a server
can do, and never how it does under load.
"""

import asyncio
import random
import sys
import time
from collections import deque
from collections.abc import Iterator
from itertools import cycle
from statistics import quantiles
from typing import Final, cast

import msgspec
import uvloop

from benchmarks.tier_path.spec import Counted, Load
from benchmarks.tier_path.wire import Answered, requests

MAX_CONNECTIONS: Final = 900
_OK: Final = 200
_REFUSALS: Final = frozenset((429, 503, 504))


class Generator:
    """One run of one load."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._requests = cycle(requests(load))
        self._idle: deque[_Connection] = deque()
        self._waiting: deque[float] = deque()
        """Due instants that no connection was free for."""
        self._connections: set[_Connection] = set()
        self._n_opening = 0
        self._opening: set[asyncio.Task[None]] = set()
        self._n_open = 0
        self._n_sent = self._n_refused = self._n_failed = 0
        self._begun_at = self._ends_at = self._answered_at = 0.0
        self._answered = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._took_s: list[float] = []
        self._lags_s: list[float] = []

    async def run(self) -> Counted:
        """Ask, and wait for what is still open; return how it went."""
        cpu_s = time.process_time()
        begun = self._begun_at = self._answered_at = self._loop.time()
        self._ends_at = begun + self._load.seconds
        if self._load.per_s:
            await self._at_instants(begun)
        else:
            for _ in range(self._load.n_open):
                self._ask(self._loop.time())
            await asyncio.sleep(self._load.seconds)
        await self._wait()
        # What was asked at last took the server's time as well, and so it counts.
        seconds = self._load.seconds if self._load.per_s else self._loop.time() - begun
        return self._count(seconds, time.process_time() - cpu_s)

    async def _at_instants(self, begun: float) -> None:
        for due in _arrivals(self._load):
            at = begun + due
            if (left := at - self._loop.time()) > 0.0:
                await asyncio.sleep(left)
            self._ask(at)

    async def _wait(self) -> None:
        gives_up = self._loop.time() + self._load.deadline_s
        while self._n_open and self._loop.time() < gives_up:
            self._answered.clear()
            try:
                await asyncio.wait_for(self._answered.wait(), gives_up - self._loop.time())
            except TimeoutError:
                break
        self._n_failed += self._n_open
        for connection in list(self._connections):
            connection.close()

    def _ask(self, due: float) -> None:
        self._n_sent += 1
        self._n_open += 1
        if self._idle:
            self._send(self._idle.pop(), due)
            return
        self._waiting.append(due)
        if len(self._connections) + self._n_opening < MAX_CONNECTIONS:
            self._n_opening += 1
            task = self._loop.create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def _send(self, connection: "_Connection", due: float) -> None:
        self._lags_s.append(self._loop.time() - due)
        connection.send(next(self._requests), due)

    async def _connect(self) -> None:
        try:
            await self._loop.create_connection(
                lambda: _Connection(self), "127.0.0.1", self._load.port
            )
        except OSError:
            if self._waiting:
                self._waiting.popleft()
                self.end(failed=True)
        finally:
            self._n_opening -= 1

    def free(self, connection: "_Connection") -> None:
        """Use a connection that has nothing to do."""
        self._connections.add(connection)
        if self._waiting:
            self._send(connection, self._waiting.popleft())
        else:
            self._idle.append(connection)

    def lose(self, connection: "_Connection") -> None:
        """Forget a connection."""
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def settle(self, status: int, due: float) -> None:
        """Count an answer."""
        if status == _OK:
            self._answered_at = self._loop.time()
            self._took_s.append(self._answered_at - due)
        elif status in _REFUSALS:
            self._n_refused += 1
        else:
            self._n_failed += 1
        self.end()

    def end(self, *, failed: bool = False) -> None:
        """Count that a request is over; when as many are to be open always, ask again."""
        self._n_open -= 1
        self._n_failed += failed
        self._answered.set()
        if not self._load.per_s and self._loop.time() < self._ends_at:
            self._loop.call_soon(lambda: self._ask(self._loop.time()))

    def _count(self, seconds: float, cpu_s: float) -> Counted:
        took_ms = sorted(1000.0 * each for each in self._took_s)
        n_good = sum(each <= self._load.budget_ms for each in took_ms)
        p50, p99 = _percentiles(took_ms)
        return Counted(
            n_sent=self._n_sent,
            n_good=n_good,
            n_late=len(took_ms) - n_good,
            n_refused=self._n_refused,
            n_failed=self._n_failed,
            seconds=seconds,
            until_s=self._answered_at - self._begun_at,
            p50_ms=p50,
            p99_ms=p99,
            lag_p99_ms=_percentiles([1000.0 * each for each in self._lags_s])[1] or 0.0,
            cpu_s=cpu_s,
        )


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, owner: Generator) -> None:
        self._owner = owner
        self._due: float | None = None
        self._answered = Answered()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not `isinstance`: uvloop's is none, though it has all of its methods.
        self._transport = cast("asyncio.Transport", transport)
        self._owner.free(self)

    def send(self, request: bytes, due: float) -> None:
        assert self._transport is not None
        self._due = due
        self._transport.write(request)

    def close(self) -> None:
        assert self._transport is not None
        self._due = None
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if not self._answered.take(data) or self._due is None:
            return
        due, self._due = self._due, None
        self._owner.settle(self._answered.status, due)
        assert self._transport is not None
        if self._answered.is_last:
            self._transport.close()
        elif not self._transport.is_closing():
            self._owner.free(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._owner.lose(self)
        if self._due is not None:
            self._due = None
            self._owner.end(failed=True)


def _arrivals(load: Load) -> Iterator[float]:
    """Yield the instants (s) of a Poisson process: the same for the same seed."""
    dice = random.Random(load.seed)  # noqa: S311 - the same load every time
    at = dice.expovariate(load.per_s)
    while at < load.seconds:
        yield at
        at += dice.expovariate(load.per_s)


def _percentiles(values: list[float]) -> tuple[float | None, float | None]:
    if len(values) < 2:  # noqa: PLR2004 - of one there is no distribution
        return (values[0], values[0]) if values else (None, None)
    hundredths = quantiles(values, n=100, method="inclusive")
    return hundredths[49], hundredths[98]


async def _main() -> None:
    load = msgspec.json.decode(sys.stdin.readline(), type=Load)
    generator = Generator(load)
    print("ready", flush=True)
    sys.stdin.readline()
    print(msgspec.json.encode(await generator.run()).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(_main())
