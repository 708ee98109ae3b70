"""The door to all benchmarks: `python -m benchmarks NAME [options] [--quick] [--json]`."""

import argparse
import pkgutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from math import isfinite
from pathlib import Path

from rich.console import Console

import benchmarks
from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome
from benchmarks.harness.report import Report, as_json_line, describe_machine, print_table


def names() -> list[str]:
    """Return every benchmark's name: the modules of this package, packages and privates apart."""
    modules = pkgutil.iter_modules(benchmarks.__path__)
    return sorted(
        found.name for found in modules if not found.ispkg and not found.name.startswith("_")
    )


def load(name: str) -> Benchmark:
    """Return one benchmark; only its own imports are paid for."""
    found = import_module(f"benchmarks.{name}").BENCHMARK
    assert isinstance(found, Benchmark)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run one benchmark and print its report; return the exit status."""
    first = argparse.ArgumentParser(prog="benchmarks", description=__doc__, add_help=False)
    first.add_argument("name", nargs="?", choices=names())
    first.add_argument("--list", action="store_true")
    known, rest = first.parse_known_args(arguments)
    if known.list or known.name is None:
        print("\n".join(names()))
        return 0
    return _run(known.name, rest)


def _run(name: str, arguments: list[str]) -> int:
    benchmark = load(name)
    parser = argparse.ArgumentParser(prog=f"benchmarks {name}", description=benchmark.summary)
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    parser.add_argument("--quick", action="store_true", help="a rough answer in under a minute")
    benchmark.add_options(parser)
    options = parser.parse_args(arguments)
    machine = describe_machine()
    console = Console(stderr=True)
    try:
        with console.status(name) as status:
            outcome = benchmark.measure(options, lambda text: status.update(f"{name}: {text}"))
    except CannotMeasure as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    report = Report(
        name=name,
        at=datetime.now(UTC),  # noqa: TID251  # this program's one clock
        machine=machine,
        options={key: _plain(value) for key, value in vars(options).items() if key != "json"},
        figures={name: value for name, value in outcome.figures.items() if isfinite(value)},
        notes=[*outcome.notes, *_absent(outcome)],
    )
    if options.json:
        print(as_json_line(report))
    else:
        print_table(report, Console())
    return 0


def _absent(outcome: Outcome) -> Iterator[str]:
    for name, value in outcome.figures.items():
        if not isfinite(value):
            yield f"{name} could not be measured: there was nothing to measure it on"


def _plain(value: object) -> str | int | float | bool | None:
    if value is None or isinstance(value, (str, int, float)):
        return value
    return str(value) if isinstance(value, Path) else repr(value)


if __name__ == "__main__":
    sys.exit(main())
