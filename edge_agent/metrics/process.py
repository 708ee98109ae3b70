"""What this process uses of the machine, as Linux tells it under /proc."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_RESIDENT_PAGES: Final = 1
"""Which field of /proc/self/statm it is; see proc(5)."""


@dataclass(frozen=True, slots=True)
class Process:
    """How much of it."""

    cpu_s: float
    """User and system time of all its threads since it began."""
    resident_bytes: int
    n_open_fds: int
    n_threads: int


def this_process(proc: Path = Path("/proc/self")) -> Process | None:
    """Return what this process uses; None on a system without /proc."""
    times = os.times()
    try:
        pages = int((proc / "statm").read_text().split()[_RESIDENT_PAGES])
        n_fds = len(list((proc / "fd").iterdir()))
        n_threads = len(list((proc / "task").iterdir()))
    except FileNotFoundError:
        return None
    return Process(times.user + times.system, pages * os.sysconf("SC_PAGE_SIZE"), n_fds, n_threads)
