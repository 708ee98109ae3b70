"""The generator asks when requests are due, whatever the server does, and counts all of them."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import msgspec
import pytest

from benchmarks.tier_path.bare import Bare
from benchmarks.tier_path.figures import N_CORES, Rounds, figures_of
from benchmarks.tier_path.generator import Generator
from benchmarks.tier_path.servers import Asked
from benchmarks.tier_path.spec import Counted, Load
from benchmarks.tier_path.wire import Answered, requests

PICTURES = 3


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of what a server is sent."""
    for number in range(PICTURES):
        (tmp_path / f"{number}.jpg").write_bytes(bytes([number]) * 1000)
    return tmp_path


class Answers(asyncio.Protocol):
    """Answers request `n` of a connection's with (status, after seconds)."""

    def __init__(self, answer: Callable[[int], tuple[int, float]], asked: Iterator[int]) -> None:
        self._answer = answer
        self._asked = asked
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, end, body = self._held.partition(b"\r\n\r\n")
        if end and len(body) == int(head.lower().split(b"content-length: ")[1].split()[0]):
            self._held = b""
            status, after_s = self._answer(next(self._asked))
            said = b"HTTP/1.1 %d .\r\nContent-Length: 2\r\n\r\nok" % status
            asyncio.get_running_loop().call_later(after_s, self._transport.write, said)


@asynccontextmanager
async def answering(answer: Callable[[int], tuple[int, float]]) -> AsyncIterator[int]:
    """Yield the port of a server that answers request `n` with (status, after seconds)."""
    asked = count()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answers(answer, asked), "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


def a_load(port: int, pictures: Path, **more: float) -> Load:
    usual = {"seconds": 0.5, "budget_ms": 10_000.0, **more}
    return msgspec.convert(
        {"port": port, "path": "/", "dialect": "raw", "pictures": str(pictures), **usual}, Load
    )


async def test_every_request_is_counted_once_by_how_it_went(pictures: Path) -> None:
    statuses = (200, 503, 429, 504, 500)
    async with answering(lambda n: (statuses[n % 5], 0.0)) as port:
        counted = await Generator(a_load(port, pictures, per_s=200.0)).run()
    assert counted.n_sent > 50
    assert counted.n_good + counted.n_late + counted.n_refused + counted.n_failed == counted.n_sent
    assert counted.n_refused == pytest.approx(3 / 5 * counted.n_sent, abs=3)
    assert counted.n_failed == pytest.approx(1 / 5 * counted.n_sent, abs=1)


async def test_a_slow_server_is_asked_no_less(pictures: Path) -> None:
    async with answering(lambda _: (200, 0.3)) as port:
        slow = await Generator(a_load(port, pictures, per_s=200.0, budget_ms=100.0)).run()
    async with answering(lambda _: (200, 0.0)) as port:
        fast = await Generator(a_load(port, pictures, per_s=200.0)).run()
    assert slow.n_sent == fast.n_sent
    assert slow.n_late == slow.n_sent
    assert slow.p50_ms is not None
    assert slow.p50_ms >= 300.0


async def test_whoever_never_answers_has_failed(pictures: Path) -> None:
    async with answering(lambda _: (200, 60.0)) as port:
        load = a_load(port, pictures, per_s=100.0, seconds=0.1, deadline_s=0.1)
        counted = await Generator(load).run()
    assert counted.n_failed == counted.n_sent > 0
    assert counted.p99_ms is None


async def test_so_many_are_open_at_all_times(pictures: Path) -> None:
    async with answering(lambda _: (200, 0.05)) as port:
        counted = await Generator(a_load(port, pictures, n_open=4)).run()
    assert 4 < counted.n_sent <= 4 * (0.5 / 0.05 + 1)
    assert counted.n_failed == 0
    assert counted.n_good == counted.n_sent


async def test_nobody_listens(pictures: Path) -> None:
    async with answering(lambda _: (200, 0.0)) as port:
        pass
    counted = await Generator(a_load(port, pictures, per_s=100.0, seconds=0.2)).run()
    assert counted.n_failed == counted.n_sent > 0


async def test_the_program_speaks_of_itself_as_its_reader_expects(pictures: Path) -> None:
    async with answering(lambda _: (200, 0.0)) as port:
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.tier_path.generator",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        load = msgspec.json.encode(a_load(port, pictures, per_s=50.0))
        said, complaints = await program.communicate(load + b"\ngo\n")
    assert not complaints
    ready, counted = said.splitlines()
    assert ready == b"ready"
    assert msgspec.json.decode(counted, type=Counted).n_good > 10


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_answers_are_read_however_they_are_cut(size: int) -> None:
    plain = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
    chunked = b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    for data, status, is_last in ((plain, 200, True), (chunked, 503, False)):
        answered = Answered()
        is_whole = [answered.take(data[at : at + size]) for at in range(0, len(data), size)]
        assert is_whole == [False] * (len(is_whole) - 1) + [True]
        assert (answered.status, answered.is_last) == (status, is_last)


def test_a_picture_in_json_is_what_was_sent(pictures: Path) -> None:
    load = msgspec.structs.replace(a_load(1, pictures), dialect="v2")
    bodies = [each.partition(b"\r\n\r\n")[2] for each in requests(load)]
    assert len(bodies) == PICTURES
    assert msgspec.json.decode(bodies[0])["inputs"][0]["datatype"] == "BYTES"


def asked(
    *, n_sent: int, n_good: int, cpu_s: float = 5.0, generator_s: float = 0.0, until_s: float = 10.0
) -> Asked:
    counted = Counted(
        n_sent=n_sent, n_good=n_good, n_late=0, n_refused=n_sent - n_good, n_failed=0, seconds=10.0,
        until_s=until_s, p50_ms=5.0, p99_ms=50.0, lag_p99_ms=0.1, cpu_s=generator_s,
    )  # fmt: skip
    return Asked(counted, cpu_s)


def test_goodput_is_of_what_could_be_done() -> None:
    rounds = Rounds(
        bare=[Bare(n=1000, seconds=10.0, cpu_s=5.0)],
        full={
            "tier": [asked(n_sent=1000, n_good=1000, cpu_s=6.0)],
            "litserve": [asked(n_sent=500, n_good=500, cpu_s=6.0)],
        },
        loads={
            0.5: [asked(n_sent=500, n_good=490)],
            2.0: [asked(n_sent=2000, n_good=960)],
        },
    )
    figures = figures_of(rounds)
    assert figures["goodput_half_ratio"] == 0.98
    assert figures["goodput_2x_ratio"] == 0.96
    assert figures["cpu_over_engine_cost_ratio"] == 1.2
    assert figures["over_litserve_ratio"] == 2.0
    assert "over_mlserver_ratio" not in figures


def test_a_backlog_that_is_answered_after_the_last_request_is_no_gain() -> None:
    rounds = Rounds(
        bare=[Bare(n=1000, seconds=10.0, cpu_s=5.0)],
        full={"tier": [asked(n_sent=1000, n_good=1000)]},
        loads={10.0: [asked(n_sent=10_000, n_good=1200, until_s=12.5)]},
    )
    assert figures_of(rounds)["goodput_10x_gross_ratio"] == 0.96


def test_what_the_generator_takes_the_tier_could_not_use() -> None:
    plenty = 10.0 * N_CORES
    rounds = Rounds(
        bare=[Bare(n=1000, seconds=10.0, cpu_s=5.0)],
        full={"tier": [asked(n_sent=1000, n_good=1000)]},
        loads={10.0: [asked(n_sent=10_000, n_good=500, generator_s=plenty / 2)]},
    )
    figures = figures_of(rounds)
    assert figures["goodput_10x_gross_ratio"] == 0.5
    assert figures["goodput_10x_ratio"] == 1.0
