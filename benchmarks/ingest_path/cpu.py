"""What a server's work costs: the CPU-seconds of its processes and of its database's."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import psutil
import psycopg

from benchmarks.ingest_path.stores import Store


@dataclass(frozen=True)
class Cpu:
    """CPU-seconds, user and system."""

    program_s: float
    database_s: float = 0.0
    """Of PostgreSQL's backends; SQLite works inside the program."""

    @property
    def all_s(self) -> float:
        return self.program_s + self.database_s

    def __sub__(self, earlier: Self) -> "Cpu":
        return Cpu(self.program_s - earlier.program_s, self.database_s - earlier.database_s)


class CpuMeter:
    """Reads the clocks of a server process, its children, and the backends of its database.

    A backend that ended between two readings is counted in neither, so measure while
    connections stay; PostgreSQL has to run on this machine.
    """

    def __init__(self, process: psutil.Process, store: Store) -> None:
        self._process = process
        self._store = store

    def read(self) -> Cpu:
        """Return what was used so far."""
        programs = (self._process, *self._process.children(recursive=True))
        return Cpu(sum(map(cpu_s, programs)), sum(map(cpu_s, backends(self._store))))


def backends(store: Store) -> list[psutil.Process]:
    """Return the processes that serve connections to a PostgreSQL database; of SQLite, none."""
    if store.is_sqlite:
        return []
    with psycopg.connect(store.database_url) as server:
        rows = server.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchall()
    found = []
    for (pid,) in rows:
        with suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(pid))
    return found


def cpu_s(process: psutil.Process) -> float:
    """Return the CPU-seconds of one process so far; of one that has ended, none."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
