"""How long a chart of ninety days takes, one camera's of a hundred, beside millions of raw rows."""

import argparse
import os
import subprocess
import sys
from typing import Final

import msgspec

from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say
from benchmarks.ingest_path.stores import empty_store

RAW_ROWS: Final = 5_000_000
RAW_ROWS_QUICK: Final = 200_000
_PATIENCE_S: Final = 1800


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database-url", default="", help="a PostgreSQL server")
    parser.add_argument("--raw-rows", type=int, default=RAW_ROWS)


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    if not options.database_url:
        raise CannotMeasure(
            "months of many cameras are for PostgreSQL: --database-url postgres://…"
        )
    n_raw = RAW_ROWS_QUICK if options.quick else options.raw_rows
    say(f"filling in {n_raw:,} raw rows and the counts of a hundred cameras")
    with empty_store(options.database_url) as store:
        run = subprocess.run(
            [sys.executable, "-m", "benchmarks.query_path.months", str(n_raw)],
            env=os.environ | store.environment,  # noqa: TID251 - a program of ours, with its own
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    if run.returncode:
        raise CannotMeasure(f"it failed: {run.stderr.strip().splitlines()[-1:]}")
    figures = msgspec.json.decode(run.stdout.splitlines()[-1], type=dict[str, float])
    notes = (
        "medians, and the worst, of 25 answers to what a page asks for, in the hub's process",
        "91_bundles: of a camera that had another bundle each day; zone: of one zone of a camera.",
        "fold_day_ms: what the worker takes to add up a hundred cameras' minutes of 24 hours.",
    )
    return Outcome(figures, notes)


BENCHMARK: Final = Benchmark(summary=__doc__ or "", measure=_measure, add_options=_add_options)
