"""Servers of a benchmark's own: new tables, a free port, a process that ends with the block."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import msgspec
import psutil

from benchmarks.harness.benchmark import CannotMeasure
from benchmarks.ingest_path.cpu import CpuMeter
from benchmarks.ingest_path.stores import Store
from benchmarks.ingest_path.traffic import Tables

ROOT: Final = Path(__file__).parents[2]
_START_TIMEOUT_S: Final = 60.0
_TABLES_TIMEOUT_S: Final = 600.0


@dataclass(frozen=True)
class Server:
    """A server process on tables of its own."""

    store: Store
    tables: Tables
    port: int
    process: psutil.Process

    @property
    def meter(self) -> CpuMeter:
        return CpuMeter(self.process, self.store)


@contextmanager
def serving(
    store: Store,
    command: Sequence[str],
    *,
    n_agents: int,
    environment: dict[str, str] | None = None,
) -> Iterator[Server]:
    """Yield a server (`python *command PORT`) on new tables with agents."""
    words = hub_environment(store, environment or {})
    tables = make_tables(store, n_agents)
    port = free_port()
    with started([*words, sys.executable, *command, str(port)], port) as process:
        yield Server(store, tables, port, process)


def make_tables(store: Store, n_agents: int) -> Tables:
    """Migrate an empty store and put agents into it."""
    program = [sys.executable, "-m", "benchmarks.ingest_path.rows", str(n_agents)]
    made = subprocess.run(
        [*hub_environment(store, {}), *program],
        cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=_TABLES_TIMEOUT_S,
    )  # fmt: skip
    return msgspec.json.decode(made.stdout.splitlines()[-1], type=Tables)


@contextmanager
def started(
    command: Sequence[str],
    port: int,
    *,
    timeout_s: float = _START_TIMEOUT_S,
    stderr: IO[bytes] | None = None,
) -> Iterator[psutil.Process]:
    """Yield a process that listens; end it afterwards, if it has not ended by then."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=stderr) as server:
        try:
            wait_for(port, server, timeout_s=timeout_s)
            yield psutil.Process(server.pid)
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()


def wait_for(
    port: int, server: subprocess.Popen[bytes], *, timeout_s: float = _START_TIMEOUT_S
) -> None:
    """Wait until somebody listens; raise `CannotMeasure` when nobody will."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise CannotMeasure("a server did not start; its words are above")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def hub_environment(store: Store, more: dict[str, str]) -> list[str]:
    """Return the beginning of a command that runs with a store's settings."""
    settings = {**store.environment, "FARWATCH_LOG_LEVEL": "WARNING", **more}
    return ["/usr/bin/env", *(f"{name}={value}" for name, value in settings.items())]
