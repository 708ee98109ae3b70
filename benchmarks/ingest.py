"""Results into the table: a swarm of agents against a real hub, a stock consumer, a bare insert."""

import argparse
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final

from benchmarks.harness.benchmark import Benchmark, Outcome, Say
from benchmarks.ingest_path.bare import PER_COMMIT, Bare, insert_bare
from benchmarks.ingest_path.cpu import Cpu
from benchmarks.ingest_path.loads import run_load
from benchmarks.ingest_path.servers import Server, serving
from benchmarks.ingest_path.stores import Rows, count_rows, empty_store
from benchmarks.ingest_path.swarm import Spec
from benchmarks.ingest_path.traffic import FPS

SWARMS: Final = (1, 10, 100, 1_000)
"""Agents at a time: whether a result costs more when many send."""
_NO_LIMITS: Final = {
    "FARWATCH_MOST_AGENT_RESULTS_PER_S": "0",
    "FARWATCH_MOST_ORGANIZATION_RESULTS_PER_S": "0",
}
_epochs = itertools.count(1)


@dataclass(frozen=True)
class Round:
    """One run of a load against a server."""

    n_results: int
    seconds: float
    cpu: Cpu

    @property
    def per_s(self) -> float:
        return self.n_results / self.seconds

    @property
    def cpu_s_per_million(self) -> float:
        return self.cpu.all_s * 1e6 / self.n_results


@dataclass
class Contender:
    """A server and the program that loads it."""

    server: Server
    load: str
    n_sent: int = 0

    def run(self, *, n_agents: int, n_results: int, per_message: int) -> Round:
        """Send so many results in all, spread over so many agents."""
        n_each = max(1, n_results // n_agents // per_message) * per_message
        spec = Spec(
            port=self.server.port,
            agents=self.server.tables.agents[:n_agents],
            epoch=next(_epochs),
            begun_at=_begun_at(n_each),
            n_results=n_each,
            per_message=per_message,
        )
        delivered, cpu = run_load(self.load, spec, self.server.meter)
        self.n_sent += delivered.n_acked
        return Round(delivered.n_acked, delivered.seconds, cpu)


@dataclass
class Rounds:
    """What was measured, by turns."""

    hub: list[Round] = field(default_factory=list)
    stock: list[Round] = field(default_factory=list)
    bare: list[Bare] = field(default_factory=list)
    swarms: dict[int, list[Round]] = field(default_factory=lambda: {n: [] for n in SWARMS})


def _begun_at(n_results: int) -> datetime:
    """Return when a camera began whose last of so many results is captured now."""
    return datetime.now(UTC) - timedelta(seconds=n_results / FPS)  # noqa: TID251 - the benchmark's clock


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database-url", default="", help="a PostgreSQL server; default: SQLite")
    parser.add_argument("--server", choices=("daphne", "uvicorn"), default="daphne")
    parser.add_argument("--agents", type=int, default=8)
    parser.add_argument("--per-message", type=int, default=20, help="results in a batch")


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    hub_command = ["manage.py", "serve", "--server", options.server, "--port"]
    stock_command = ["-m", "daphne", "-v", "0", "benchmarks.ingest_path.stock:application", "-p"]
    with (
        empty_store(options.database_url) as hub_store,
        empty_store(options.database_url) as stock_store,
        serving(
            hub_store, hub_command, n_agents=max(options.agents, *SWARMS), environment=_NO_LIMITS
        ) as hub_server,
        serving(stock_store, stock_command, n_agents=options.agents) as stock_server,
    ):
        hub, stock = Contender(hub_server, "swarm"), Contender(stock_server, "stock_load")
        rounds = _take_turns(hub, stock, options, say)
        rows = count_rows(hub_store)
    return _outcome(rounds, rows, n_sent=hub.n_sent, is_sqlite=hub_store.is_sqlite)


def _take_turns(hub: Contender, stock: Contender, options: argparse.Namespace, say: Say) -> Rounds:
    n_rounds = 1 if options.quick else 3
    n_results = 40_000 if options.quick else 200_000
    n_stock = 2_000 if options.quick else 6_000
    n_agents, per_message = options.agents, options.per_message
    rounds = Rounds()
    say("warming up")
    hub.run(n_agents=n_agents, n_results=4_000, per_message=per_message)
    stock.run(n_agents=n_agents, n_results=200, per_message=1)
    for number in range(1, n_rounds + 1):
        turn = f"round {number} of {n_rounds}: "
        say(turn + "the hub")
        rounds.hub.append(hub.run(n_agents=n_agents, n_results=n_results, per_message=per_message))
        say(turn + "the bare insert")
        # Into the stock consumer's tables: the same schema, and nobody writes there now.
        tables = stock.server.tables
        rounds.bare.append(
            insert_bare(
                stock.server.store,
                tables,
                epoch=next(_epochs),
                begun_at=_begun_at(n_results),
                n=n_results,
            )
        )
        say(turn + "the stock consumer")
        rounds.stock.append(stock.run(n_agents=n_agents, n_results=n_stock, per_message=1))
        for n_swarm, done in rounds.swarms.items():
            say(turn + f"the hub, agents: {n_swarm}")
            done.append(hub.run(n_agents=n_swarm, n_results=n_results, per_message=per_message))
    return rounds


def _outcome(rounds: Rounds, rows: Rows, *, n_sent: int, is_sqlite: bool) -> Outcome:
    cost = _cost(rounds.hub)
    bare_cost = median(bare.cpu.all_s * 1e6 / bare.n_rows for bare in rounds.bare)
    per_s = median(done.per_s for done in rounds.hub)
    bare_per_s = median(bare.n_rows / bare.seconds for bare in rounds.bare)
    by_swarm = {n: _cost(done) for n, done in rounds.swarms.items()}
    figures = {
        "results_per_s": per_s,
        "over_copy_ratio": bare_cost / cost,
        "over_copy_wall_ratio": per_s / bare_per_s,
        "over_stock_consumer_ratio": _cost(rounds.stock) / cost,
        "cpu_s_per_million_results": cost,
        "gateway_cpu_s_per_million_results": median(
            done.cpu.program_s * 1e6 / done.n_results for done in rounds.hub
        ),
        "database_cpu_s_per_million_results": median(
            done.cpu.database_s * 1e6 / done.n_results for done in rounds.hub
        ),
        "growth_1000_agents_cost_ratio": by_swarm[1_000] / by_swarm[10],
        **{f"cpu_s_per_million_{n}_agents": each for n, each in by_swarm.items()},
        "lost": n_sent - rows.n_different,
        "duplicated": rows.n_all - rows.n_different,
        "copy_per_s": bare_per_s,
        "copy_cpu_s_per_million_rows": bare_cost,
        "stock_results_per_s": median(done.per_s for done in rounds.stock),
        "stock_cpu_s_per_million_results": _cost(rounds.stock),
    }
    ceiling = "executemany" if is_sqlite else "binary COPY"
    against = f"{ceiling} of the same rows into the identical table, {PER_COMMIT} a commit"
    notes = (
        f"over_copy_ratio: CPU-seconds, those of PostgreSQL's backends included, against {against}",
        "over_copy_wall_ratio: the bare insert has the machine alone, the hub shares it",
        "growth: 1,000 agents against 10 on the same hub; limits on what agents may send are off",
    )
    return Outcome({name: round(value, 3) for name, value in figures.items()}, notes)


def _cost(rounds: list[Round]) -> float:
    """Return CPU-seconds for a million results."""
    return median(done.cpu_s_per_million for done in rounds)


BENCHMARK: Final = Benchmark(summary=__doc__ or "", measure=_measure, add_options=_add_options)
