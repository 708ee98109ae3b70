"""Figures of what was measured."""

import os
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from benchmarks.tier_path.bare import Bare
from benchmarks.tier_path.servers import Asked

LOADS: Final = {0.5: "half", 1.0: "1x", 2.0: "2x", 10.0: "10x"}
"""Offered load over capacity, and its name."""
PEERS: Final = ("litserve", "mlserver")
N_CORES: Final = len(os.sched_getaffinity(0))


@dataclass
class Rounds:
    """What was measured, by turns."""

    bare: list[Bare] = field(default_factory=list)
    bare_beside_ray: list[Bare] = field(default_factory=list)
    """While Ray was there, which is busy when nothing happens."""
    full: dict[str, list[Asked]] = field(default_factory=dict)
    """Of each server, never out of work."""
    loads: dict[float, list[Asked]] = field(default_factory=dict)
    """Of the tier, at so many times what it can do."""


def figures_of(rounds: Rounds) -> dict[str, float]:
    """Return all that there is to say."""
    full = rounds.full["tier"]
    bare_cpu_ms = median(each.cpu_ms for each in rounds.bare)
    cpu_ms = _cpu_ms(full)
    figures = {
        "capacity_per_s": median(asked.per_s for asked in full),
        "engine_per_s": median(each.per_s for each in rounds.bare),
        "cpu_ms_a_request": cpu_ms,
        "engine_cpu_ms": bare_cpu_ms,
        "cpu_over_engine_cost_ratio": cpu_ms / bare_cpu_ms,
    }
    for times, loads in rounds.loads.items():
        figures |= _under_load(full, times, loads)
    for peer in PEERS:
        if peer in rounds.full:
            figures[f"{peer}_cpu_ms"] = _cpu_ms(rounds.full[peer])
            figures[f"{peer}_per_s"] = median(asked.per_s for asked in rounds.full[peer])
            figures[f"over_{peer}_ratio"] = _cpu_ms(rounds.full[peer]) / cpu_ms
            figures[f"over_{peer}_wall_ratio"] = (
                figures["capacity_per_s"] / figures[f"{peer}_per_s"]
            )
    if "ray" in rounds.full:
        figures["ray_cpu_ms"] = _cpu_ms(rounds.full["ray"])
        figures["ray_per_s"] = median(asked.per_s for asked in rounds.full["ray"])
        beside_ray_ms = median(each.cpu_ms for each in rounds.bare_beside_ray)
        figures["ray_over_engine_cost_ratio"] = figures["ray_cpu_ms"] / beside_ray_ms
    return {name: round(value, 3) for name, value in figures.items()}


def notes_of(rounds: Rounds, mean_bytes: int, budget_ms: float) -> tuple[str, ...]:
    """Return what a reader has to know."""
    absent = [name for name in (*PEERS, "ray") if name not in rounds.full]
    return (
        f"pictures of {mean_bytes / 1000:.0f} kB on average, a budget of {budget_ms:.0f} ms",
        "capacity: answers a second while 24 requests are open at all times, the generator running",
        "goodput: answers within the budget, counted from when the request was due, over what can",
        "be done: what is asked, or, if less, the capacity on the CPU that the generator left",
        "CPU: user and system, of all processes of the server; the generator's excluded",
        *(
            f"{name} was not measured: give a Python that has it with --{name}"
            for name in absent
        ),
    )  # fmt: skip


def _under_load(full: list[Asked], times: float, loads: list[Asked]) -> dict[str, float]:
    name = LOADS[times]
    gross = median(asked.per_s for asked in full)
    left_full = median(_left_over(asked) for asked in full)
    figures = {
        f"goodput_{name}_ratio": median(
            asked.counted.n_good / _possible(asked, gross * _left_over(asked) / left_full)
            for asked in loads
        ),
        f"goodput_{name}_gross_ratio": median(
            asked.counted.n_good / _possible(asked, gross) for asked in loads
        ),
        f"late_{name}_share": median(
            asked.counted.n_late / max(asked.counted.n_answered, 1) for asked in loads
        ),
        f"failed_{name}": float(sum(asked.counted.n_failed for asked in loads)),
        f"generator_lag_p99_ms_{name}": median(asked.counted.lag_p99_ms for asked in loads),
        f"generator_cpu_share_{name}": median(1.0 - _left_over(asked) for asked in loads),
    }
    slowest = [asked.counted.p99_ms for asked in loads if asked.counted.p99_ms is not None]
    if slowest:
        figures[f"p99_ms_{name}"] = median(slowest)
    return figures


def _possible(asked: Asked, per_s: float) -> float:
    """Return how many could be answered: what was asked, or what is done until the last answer."""
    return min(asked.counted.n_sent, per_s * max(asked.counted.seconds, asked.counted.until_s))


def _left_over(asked: Asked) -> float:
    """Return the share of all cores that the generator did not use."""
    return max(1e-3, 1.0 - asked.counted.cpu_s / (asked.counted.seconds * N_CORES))


def _cpu_ms(rounds: list[Asked]) -> float:
    return median(asked.cpu_ms for asked in rounds)
