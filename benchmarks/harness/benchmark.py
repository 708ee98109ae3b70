"""What a benchmark is: a module of `benchmarks` with a `BENCHMARK`. Nothing else registers it."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

Say: TypeAlias = Callable[[str], None]
"""Shows progress to whoever waits."""


class CannotMeasure(RuntimeError):
    """There is nothing to report at all; the text says what to do about it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was measured."""

    figures: Mapping[str, float]
    notes: tuple[str, ...] = ()


def _no_options(_parser: argparse.ArgumentParser) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One command of `python -m benchmarks`."""

    summary: str
    measure: Callable[[argparse.Namespace, Say], Outcome]
    """Options always include `quick`. Raises `CannotMeasure`."""
    add_options: Callable[[argparse.ArgumentParser], None] = _no_options


def in_turns(contenders: Mapping[str, Callable[[], float]], *, rounds: int) -> dict[str, float]:
    """Return the median figure of each, measured by turns so that all see the same machine."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, measure in contenders.items():
            figures[name].append(measure())
    return {name: median(values) for name, values in figures.items()}
