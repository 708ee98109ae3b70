"""Live video: 30 cameras, a real Chromium and 19 other viewers, stalled ones, and Channels' way."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

import msgspec
import psutil

from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say
from benchmarks.ingest_path.servers import ROOT, free_port, hub_environment, started
from benchmarks.ingest_path.stores import Store, empty_store
from benchmarks.live_path.browser import BrowserViewer, Seen, looking
from benchmarks.live_path.spec import Cameras, Tables, Viewers, Watched, middle, percentile
from benchmarks.live_path.street import write_street
from edge_agent.identity import IdentityFiles, Membership

_N_CAMERAS: Final = 30
_N_VIEWERS: Final = 19
_N_STALLED: Final = 100
_MB: Final = 1024 * 1024


@dataclass(frozen=True)
class Phase:
    """What viewers saw for a while, and what that cost the server."""

    watched: Watched
    cpu_s: float
    most_mb: float

    @property
    def share(self) -> float:
        return self.watched.n_pictures / self.watched.n_expected

    @property
    def cpu_ms_per_picture(self) -> float:
        n = self.watched.n_pictures
        return self.cpu_s * 1000.0 / n if n else float("inf")


@dataclass
class Rounds:
    """Everything that was measured."""

    calm: list[Phase] = field(default_factory=list)
    stalled: list[Phase] = field(default_factory=list)
    stock: list[Phase] = field(default_factory=list)
    browser: list[Seen] = field(default_factory=list)
    before_mb: float = 0.0


@dataclass(frozen=True)
class Server:
    """A server under test, its cameras, and where to look at them."""

    process: psutil.Process
    port: int
    paths: list[str]
    session_key: str

    def watched_by(self, n_stalled: int, *, warm_s: float, seconds: float) -> Phase:
        """Let viewers look, 19 of them for all cameras between them."""
        viewers = Viewers(
            port=self.port,
            paths=self.paths,
            session_key=self.session_key,
            warm_s=warm_s,
            seconds=seconds,
            n_stalled=n_stalled,
        )
        with _program("viewers", viewers) as program:
            before = _cpu_s(self.process)
            _tell(program)
            most = _most_rss(self.process, program, seconds)
            watched = msgspec.json.decode(_heard(program), type=Watched)
        return Phase(watched, _cpu_s(self.process) - before, most / _MB)


def _most_rss(process: psutil.Process, program: subprocess.Popen[bytes], seconds: float) -> int:
    """Return the most memory that a process holds until then."""
    most, until = 0, time.monotonic() + seconds
    while time.monotonic() < until and program.poll() is None:
        most = max(most, int(process.memory_info().rss))
        time.sleep(0.1)
    return most


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def _program(name: str, spec: msgspec.Struct) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a program of this benchmark once it is ready."""
    with subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.live_path.{name}"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as program:  # fmt: skip
        try:
            assert program.stdin is not None
            program.stdin.write(msgspec.json.encode(spec) + b"\n")
            program.stdin.flush()
            if _heard(program) != b"ready\n":
                raise CannotMeasure(f"{name} did not come to anything; its words are above")
            yield program
        finally:
            program.kill()


def _tell(program: subprocess.Popen[bytes]) -> None:
    assert program.stdin is not None
    program.stdin.write(b"go\n")
    program.stdin.flush()


def _heard(program: subprocess.Popen[bytes]) -> bytes:
    assert program.stdout is not None
    said = program.stdout.readline()
    if not said:
        raise CannotMeasure("a program of the benchmark broke off; its words are above")
    return said


def _make_tables(store: Store, folder: Path) -> Tables:
    """Migrate an empty store; put an agent with a key of its own and its cameras into it."""
    files = IdentityFiles(folder)
    public_key = files.key().public_key().public_bytes_raw().hex()
    program = [sys.executable, "-m", "benchmarks.live_path.rows", public_key, str(_N_CAMERAS)]
    made = subprocess.run(
        [*hub_environment(store, {}), *program],
        cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=600,
    )  # fmt: skip
    tables = msgspec.json.decode(made.stdout.splitlines()[-1], type=Tables)
    files.save(
        Membership(
            agent_id=tables.agent_id,
            hub_id=tables.hub_id,
            hub_url="http://127.0.0.1",
            organization="Benchmark",
            site="Here",
        )
    )
    return tables


def _looked_at(paths: Sequence[str]) -> list[str]:
    """Return what 19 viewers look at: all cameras but the browser's, the first ones two."""
    return [paths[1 + number % (_N_CAMERAS - 1)] for number in range(max(_N_VIEWERS, len(paths)))]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server", default="daphne", choices=("daphne", "uvicorn"))


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    rounds = Rounds()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="farwatch-live-")))
        store = stack.enter_context(empty_store(""))
        say("encoding a video, making tables")
        video = write_street(folder / "street.mp4")
        tables = _make_tables(store, folder)
        hub = _hub(stack, store, tables, options.server)
        stock = _stock(stack, store)
        spec = Cameras(port=hub.port, tables=tables, video=str(video), folder=str(folder))
        browser = stack.enter_context(
            looking(hub.port, str(tables.camera_ids[0]), tables.session_key)
        )
        for number in range(1, (1 if options.quick else 3) + 1):
            say(f"round {number}")
            _round(rounds, hub, stock, spec, browser, seconds=4.0 if options.quick else 6.0)
    return _outcome(rounds)


def _hub(stack: ExitStack, store: Store, tables: Tables, server: str) -> Server:
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--server", server, "--port", str(port)]
    process = stack.enter_context(started([*hub_environment(store, {}), *command], port))
    paths = [f"/live/camera/{camera_id}/video/" for camera_id in tables.camera_ids]
    return Server(process, port, _looked_at(paths), tables.session_key)


def _stock(stack: ExitStack, store: Store) -> Server:
    port = free_port()
    application = "benchmarks.live_path.stock:application"
    command = [sys.executable, "-m", "daphne", "-v", "0", application, "-p", str(port)]
    process = stack.enter_context(started([*hub_environment(store, {}), *command], port))
    return Server(process, port, _looked_at([f"/watch/{n}" for n in range(_N_CAMERAS)]), "")


def _round(
    rounds: Rounds,
    hub: Server,
    stock: Server,
    spec: Cameras,
    browser: BrowserViewer,
    *,
    seconds: float,
) -> None:
    with _program("cameras", spec):
        browser.look()
        hub.watched_by(0, warm_s=0.0, seconds=2.0)  # whoever comes first pays for imports
        rounds.before_mb = rounds.before_mb or hub.process.memory_info().rss / _MB
        for n_stalled in (0, _N_STALLED, _N_STALLED, 0):  # so that what drifts counts for both
            browser.forget()
            phases = rounds.stalled if n_stalled else rounds.calm
            phases.append(hub.watched_by(n_stalled, warm_s=2.0, seconds=seconds))
            if not n_stalled:
                rounds.browser.append(browser.seen())
        browser.leave()
    with _program("stock_cameras", msgspec.structs.replace(spec, port=stock.port)):
        rounds.stock.append(stock.watched_by(0, warm_s=2.0, seconds=seconds))


def _latencies(phases: Sequence[Phase]) -> list[float]:
    """Return those of all phases, in order of size."""
    return sorted(ms for phase in phases for ms in phase.watched.latencies_ms)


def _outcome(rounds: Rounds) -> Outcome:
    shown = sorted(each for seen in rounds.browser for each in seen.shown_ms)
    arrived = [each for seen in rounds.browser for each in seen.arrived_ms]
    calm, stalled = _latencies(rounds.calm), _latencies(rounds.stalled)
    ours, theirs = sorted([*arrived, *calm]), _latencies(rounds.stock)
    base_mb = median(done.most_mb for done in rounds.calm)
    cost = median(done.cpu_ms_per_picture for done in rounds.calm)
    stalled_cost = median(done.cpu_ms_per_picture for done in rounds.stalled)
    stock_cost = middle([done.cpu_ms_per_picture for done in rounds.stock])
    figures = {
        "latency_p50_ms": percentile(ours, 0.50),
        "latency_p99_ms": percentile(ours, 0.99),
        "delivered_share": median(done.share for done in rounds.calm),
        "stalled_100_mb": max(0.0, median(done.most_mb for done in rounds.stalled) - base_mb),
        "stalled_p95_cost_ratio": percentile(stalled, 0.95) / percentile(calm, 0.95),
        "stalled_cpu_cost_ratio": stalled_cost / cost,
        "over_group_send_ratio": stock_cost / cost,
        "shown_p50_ms": percentile(shown, 0.50),
        "shown_p99_ms": percentile(shown, 0.99),
        "hub_cpu_ms_per_picture": cost,
        "hub_peak_mb": base_mb,
        "group_send_p50_ms": percentile(theirs, 0.50),
        "group_send_p99_ms": percentile(theirs, 0.99),
        "group_send_delivered_share": median(done.share for done in rounds.stock),
        "group_send_cpu_ms_per_picture": stock_cost,
    }
    latency = (
        "latency: from the packet's coming in at the agent to its coming out at a viewer's socket,"
        " all viewers and Chromium; shown: until Chromium has it on the screen"
    )
    load = (
        "720p, 15 pictures and 2 Mb a second and camera, 5 results a second beside it;"
        " the viewers beside Chromium hold 30 sockets, so that all cameras are looked at"
    )
    stalled_ones = (
        "stalled: 100 viewers that read nothing, but leave and come back only between the turns;"
        " p95 and CPU for each picture that reaches the others, over those without them"
    )
    over = "over_group_send_ratio: CPU of the server for each picture that reaches a viewer"
    notes = (latency, load, stalled_ones, over)
    return Outcome({name: round(value, 3) for name, value in figures.items()}, notes)


BENCHMARK: Final = Benchmark(summary=__doc__ or "", measure=_measure, add_options=_add_options)
