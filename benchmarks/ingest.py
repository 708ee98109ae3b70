"""Results into the table: a swarm of agents against a real hub, a stock consumer, a bare insert."""

import argparse
import itertools
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

import msgspec
import psutil

from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say
from benchmarks.ingest_path.stores import (
    PER_COMMIT,
    Rows,
    Store,
    count_rows,
    empty_store,
    insert_per_s,
)
from benchmarks.ingest_path.swarm import Delivered, Spec
from benchmarks.ingest_path.traffic import Tables

ROOT: Final = Path(__file__).parents[1]
START_TIMEOUT_S: Final = 60.0
RUN_TIMEOUT_S: Final = 600.0
_MANY_AGENTS: Final = 1_000
_epochs = itertools.count(1)


@dataclass(frozen=True)
class Round:
    """One run of a swarm against a server."""

    n_results: int
    seconds: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        return self.n_results / self.seconds

    @property
    def cpu_s_per_million(self) -> float:
        return self.cpu_s * 1e6 / self.n_results


@dataclass
class Contender:
    """A server process on tables of its own, and the program that loads it."""

    store: Store
    tables: Tables
    port: int
    process: psutil.Process
    load: str
    rounds: list[Round] = field(default_factory=list)
    n_sent: int = 0

    def run(self, *, n_agents: int, n_results: int, per_message: int) -> Round:
        """Send so many results in all, spread over so many agents."""
        agents = self.tables.agents[:n_agents]
        spec = Spec(
            port=self.port,
            agents=agents,
            epoch=next(_epochs),
            begun_at=datetime.now(UTC) - timedelta(hours=12),  # noqa: TID251 - the benchmark's clock
            n_results=n_results // n_agents // per_message * per_message,
            per_message=per_message,
        )
        delivered, cpu_s = _loaded(self.load, spec, self.process)
        self.n_sent += delivered.n_acked
        done = Round(delivered.n_acked, delivered.seconds, cpu_s)
        self.rounds.append(done)
        return done


def _loaded(load: str, spec: Spec, server: psutil.Process) -> tuple[Delivered, float]:
    """Run a load to its end; return what it says and what the server's CPU did meanwhile."""
    with subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.ingest_path.{load}"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        try:
            program.stdin.write(msgspec.json.encode(spec) + b"\n")
            program.stdin.flush()
            if program.stdout.readline() != b"ready\n":
                raise CannotMeasure(f"{load} could not connect; its words are above")
            before = _cpu_s(server)
            program.stdin.write(b"go\n")
            program.stdin.flush()
            said = program.stdout.readline()
            cpu_s = _cpu_s(server) - before
        finally:
            program.kill()
    if not said:
        raise CannotMeasure(f"{load} broke off; its words are above")
    return msgspec.json.decode(said, type=Delivered), cpu_s


def _cpu_s(process: psutil.Process) -> float:
    """Return the CPU-seconds of a server and its children so far."""
    return sum(sum(each.cpu_times()[:2]) for each in (process, *process.children(recursive=True)))


@contextmanager
def _serving(store: Store, command: list[str], load: str, n_agents: int) -> Iterator[Contender]:
    """Yield a server on new tables with agents."""
    settings = {**store.environment, "FARWATCH_LOG_LEVEL": "WARNING"}
    environment = ["/usr/bin/env", *(f"{name}={value}" for name, value in settings.items())]
    made = subprocess.run(
        [*environment, sys.executable, "-m", "benchmarks.ingest_path.rows", str(n_agents)],
        cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=RUN_TIMEOUT_S,
    )  # fmt: skip
    tables = msgspec.json.decode(made.stdout.splitlines()[-1], type=Tables)
    port = _free_port()
    with subprocess.Popen(
        [*environment, sys.executable, *command, str(port)], cwd=ROOT, stdout=subprocess.DEVNULL
    ) as server:
        try:
            _wait_for(port, server)
            yield Contender(store, tables, port, psutil.Process(server.pid), load)
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise CannotMeasure("a server did not start; its words are above")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database-url", default="", help="a PostgreSQL server; default: SQLite")
    parser.add_argument("--agents", type=int, default=8)
    parser.add_argument("--per-message", type=int, default=20, help="results in a batch")


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    n_rounds = 1 if options.quick else 3
    n_results = 40_000 if options.quick else 200_000
    n_stock = 2_000 if options.quick else 6_000
    n_known = options.agents if options.quick else max(options.agents, _MANY_AGENTS)
    hub_command = ["manage.py", "serve", "--port"]
    stock_command = ["-m", "daphne", "-v", "0", "benchmarks.ingest_path.stock:application", "-p"]
    ceilings: list[float] = []
    many: list[Round] = []
    with (
        empty_store(options.database_url) as hub_store,
        empty_store(options.database_url) as stock_store,
        _serving(hub_store, hub_command, "swarm", n_known) as hub,
        _serving(stock_store, stock_command, "stock_load", options.agents) as stock,
    ):
        say("warming up")
        hub.run(n_agents=options.agents, n_results=4_000, per_message=options.per_message)
        stock.run(n_agents=options.agents, n_results=200, per_message=1)
        hub.rounds.clear()
        stock.rounds.clear()
        for number in range(1, n_rounds + 1):
            say(f"round {number} of {n_rounds}: the hub")
            hub.run(n_agents=options.agents, n_results=n_results, per_message=options.per_message)
            say(f"round {number} of {n_rounds}: the bare insert")
            ceilings.append(_ceiling(stock, n_results))
            say(f"round {number} of {n_rounds}: the stock consumer")
            stock.run(n_agents=options.agents, n_results=n_stock, per_message=1)
            if n_known >= _MANY_AGENTS:
                say(f"round {number} of {n_rounds}: the hub, {_MANY_AGENTS} agents")
                many.append(
                    hub.run(
                        n_agents=_MANY_AGENTS,
                        n_results=n_results,
                        per_message=options.per_message,
                    )
                )
                hub.rounds.pop()
        rows = count_rows(hub_store)
    return _outcome(hub, stock, ceilings, many, rows)


def _ceiling(stock: Contender, n_results: int) -> float:
    """Insert into the stock consumer's tables: the same schema, and nobody writes there now."""
    return insert_per_s(
        stock.store,
        stock.tables,
        epoch=next(_epochs),
        begun_at=datetime.now(UTC) - timedelta(hours=12),  # noqa: TID251 - the benchmark's clock
        n=n_results,
    )


def _outcome(
    hub: Contender, stock: Contender, ceilings: list[float], many: list[Round], rows: Rows
) -> Outcome:
    cost = median(done.cpu_s_per_million for done in hub.rounds)
    stock_cost = median(done.cpu_s_per_million for done in stock.rounds)
    per_s = median(done.per_s for done in hub.rounds)
    figures = {
        "results_per_s": per_s,
        "over_copy_ratio": per_s / median(ceilings),
        "over_stock_consumer_ratio": stock_cost / cost,
        "cpu_s_per_million_results": cost,
        "lost": hub.n_sent - rows.n_different,
        "duplicated": rows.n_all - rows.n_different,
        "bare_insert_per_s": median(ceilings),
        "stock_results_per_s": median(done.per_s for done in stock.rounds),
        "stock_cpu_s_per_million_results": stock_cost,
    }
    ceiling = "executemany" if hub.store.is_sqlite else "binary COPY"
    against_ceiling = (
        f"over_copy_ratio: wall time against {ceiling} of the same rows into the same table,"
        f" {PER_COMMIT} a commit, alone on the machine; the hub shares it with its load"
    )
    against_stock = "over_stock_consumer_ratio: CPU-seconds of the server for each result"
    notes = [against_ceiling, against_stock]
    if not hub.store.is_sqlite:
        notes.append("CPU-seconds are the hub process's; those of PostgreSQL come on top")
    if many:
        many_cost = median(done.cpu_s_per_million for done in many)
        figures["growth_1000_agents_cost_ratio"] = many_cost / cost
    else:
        notes.append("growth_1000_agents_cost_ratio: not with --quick")
    return Outcome({name: round(value, 3) for name, value in figures.items()}, tuple(notes))


BENCHMARK: Final = Benchmark(summary=__doc__ or "", measure=_measure, add_options=_add_options)
