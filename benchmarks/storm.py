"""Agents that all come back at once after their hub was killed, each with a backlog."""

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Final

import msgspec
import psutil

from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say
from benchmarks.ingest_path.servers import ROOT, free_port, hub_environment, make_tables, started
from benchmarks.ingest_path.stores import Store, count_alerts, count_rows, empty_store
from benchmarks.ingest_path.traffic import AgentSpec
from benchmarks.storm_path.herd import CaughtUp, HerdSpec
from benchmarks.storm_path.looking import Looking

HERDS: Final = 2
"""Programs that the agents are spread over."""
_MB: Final = 2**20
_MEMORY_EVERY_S: Final = 0.2


class Herd:
    """A running herd."""

    def __init__(self, spec: HerdSpec) -> None:
        self._program = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.storm_path.herd"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.tell(msgspec.json.encode(spec))

    def tell(self, line: bytes) -> None:
        assert self._program.stdin is not None
        self._program.stdin.write(line + b"\n")
        self._program.stdin.flush()

    def hear(self) -> bytes:
        """Return what it says next."""
        assert self._program.stdout is not None
        if not (line := self._program.stdout.readline()):
            raise CannotMeasure("a herd broke off; its words are above")
        return line

    def kill(self) -> None:
        self._program.kill()
        self._program.wait()


class Peak:
    """The most memory that a process held at a time, in MB."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.mb = 0.0
        self._thread.start()

    def end(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        with suppress(psutil.NoSuchProcess):
            while not self._stopping.wait(_MEMORY_EVERY_S):
                self.mb = max(self.mb, self._process.memory_info().rss / _MB)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database-url", default="", help="a PostgreSQL server; default: SQLite")
    parser.add_argument("--server", choices=("daphne", "uvicorn"), default="daphne")
    parser.add_argument("--agents", type=int, default=0, help="default: 1,000; with --quick 200")
    parser.add_argument("--backlog", type=int, default=120, help="results of each agent")
    parser.add_argument("--alerts", type=int, default=2, help="of each agent")


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    n_agents = options.agents or (200 if options.quick else 1_000)
    port = free_port()
    with empty_store(options.database_url) as store, ExitStack() as ending:
        say("enrolling")
        agents = make_tables(store, n_agents).agents
        session_key = _log_in(store)
        command = [
            *hub_environment(store, {}),
            *(sys.executable, "manage.py", "serve", "--server", options.server),
            *("--port", str(port)),
        ]
        with started(command, port) as hub:
            say("letting all in for the first time")
            herds = [Herd(_spec(port, part, options)) for part in _parts(agents)]
            for herd in herds:
                ending.callback(herd.kill)
            for herd in herds:
                herd.hear()
            hub.kill()
        for herd in herds:
            herd.tell(b"go")
            herd.hear()
        looking = Looking(port, session_key)
        say("the storm")
        begun_at = time.time()
        with started(command, port) as hub:
            peak, start_cpu_s = Peak(hub), _cpu_s(hub)
            looking.begin()
            caught_up = [msgspec.json.decode(herd.hear(), type=CaughtUp) for herd in herds]
            hub_cpu_s = _cpu_s(hub) - start_cpu_s
            looking.end()
            peak.end()
        rows, n_alerts = count_rows(store), count_alerts(store)
    n_sent = n_agents * options.backlog
    figures = {
        "agents": n_agents,
        "caught_up_s": max(each.at for each in caught_up) - begun_at,
        "lost": n_sent - rows.n_different + max(0, n_agents * options.alerts - n_alerts),
        "duplicated": rows.n_all - rows.n_different + max(0, n_alerts - n_agents * options.alerts),
        "page_p95_ms": looking.quantile(0.95) * 1000,
        "hub_peak_mb": peak.mb,
        "all_in_s": max(each.last_in_at for each in caught_up) - begun_at,
        "alerts_in_s": max(each.alerts_at for each in caught_up) - begun_at,
        "page_back_s": (looking.first_at or float("nan")) - begun_at,
        "page_p50_ms": looking.quantile(0.5) * 1000,
        "page_worst_ms": looking.quantile(1.0) * 1000,
        "pages": len(looking.seconds),
        "connects_per_agent": sum(each.n_connects for each in caught_up) / n_agents,
        "hub_start_cpu_s": start_cpu_s,
        "hub_cpu_ms_per_agent": hub_cpu_s * 1000 / n_agents,
    }
    notes = (
        "time runs from the start of the new hub process, its start-up included",
        f"each agent has {options.backlog} results and {options.alerts} alerts to deliver",
        "connects are those that the new hub heard of, its pages' CPU is in the agents'",
        f"agents and page share the machine with the hub, in {HERDS + 1} processes",
    )
    return Outcome({name: round(value, 3) for name, value in figures.items()}, notes)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _spec(port: int, agents: list[AgentSpec], options: argparse.Namespace) -> HerdSpec:
    return HerdSpec(port, agents, n_results=options.backlog, n_alerts=options.alerts)


def _parts(agents: Sequence[AgentSpec]) -> Iterator[list[AgentSpec]]:
    for first in range(HERDS):
        yield list(agents[first::HERDS])


def _log_in(store: Store) -> str:
    made = subprocess.run(
        [*hub_environment(store, {}), sys.executable, "-m", "benchmarks.storm_path.operator"],
        cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=60, text=True,
    )  # fmt: skip
    return made.stdout.splitlines()[-1]


BENCHMARK: Final = Benchmark(summary=__doc__ or "", measure=_measure, add_options=_add_options)
