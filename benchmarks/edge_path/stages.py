"""Which stage of the path the CPU time goes to: each has threads of its own."""

import os
import threading
from collections import defaultdict
from pathlib import Path
from typing import Final

_STAGES: Final = {
    "capture": "capture",  # decoding, and the gatekeeper
    "engine": "around",  # what is put before the network and read out of it
    "answers": "answers",  # tracks, rules, packing
    "scheduler": "turns",
    "outbox": "outbox",
    "darkroom": "pictures",
}
"""By the first word of a thread's name."""
_NETWORK: Final = "network"
"""OpenVINO's own threads have no name of ours."""
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_USER_TICKS: Final = 11
"""Field of /proc/PID/task/TID/stat after the name; the next is the kernel's (proc(5))."""


def cpu_s_by_stage() -> dict[str, float]:
    """Return how much CPU time this process's living threads have taken so far."""
    names = {str(thread.native_id): thread.name for thread in threading.enumerate()}
    main = str(threading.main_thread().native_id)
    spent: defaultdict[str, float] = defaultdict(float)
    for task in Path("/proc/self/task").iterdir():
        try:
            fields = (task / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        seconds = (int(fields[_USER_TICKS]) + int(fields[_USER_TICKS + 1])) / _TICKS_PER_S
        if task.name in names and task.name != main:
            spent[_STAGES.get(names[task.name].split()[0], "other")] += seconds
        elif task.name != main:
            spent[_NETWORK] += seconds
    return spent
