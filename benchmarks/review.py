"""Labelers' wait: from submitting one picture to the next drawn and ready, in a real Chromium."""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np

from benchmarks.harness.benchmark import Benchmark, Outcome, Say
from benchmarks.ingest_path.servers import ROOT, free_port, hub_environment, started
from benchmarks.ingest_path.stores import Store, empty_store
from benchmarks.review_path.labeler import Worked, chromium_page, work

_N_ITEMS: Final = 200
_N_QUICK: Final = 40
_FILLING_TIMEOUT_S: Final = 600.0
_NOT_BESIDE: Final = (
    "over_label_studio_p95_ratio is absent: Label Studio is not run beside it; measure it on the"
    " same machine (submit to next task drawn) and divide"
)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database-url", default="", help="a PostgreSQL server instead of SQLite")


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    n = _N_QUICK if options.quick else _N_ITEMS
    with empty_store(options.database_url) as store:
        say("filling a queue")
        session_key = _fill(store, n + 1)
        with _hub(store) as url, chromium_page() as page:
            say(f"{n} pictures are reviewed")
            worked = work(page, url, session_key, n=n)
    return Outcome(_figures(worked), (_NOT_BESIDE,))


def _figures(worked: Worked) -> dict[str, float]:
    p50, p95 = np.percentile(worked.ready_ms, (50, 95))
    return {
        "submit_to_ready_p50_ms": float(p50),
        "submit_to_ready_p95_ms": float(p95),
        "keys_per_item": worked.n_acts / len(worked.ready_ms),
    }


def _fill(store: Store, n: int) -> str:
    program = [sys.executable, "-m", "benchmarks.review_path.rows", str(n)]
    done = subprocess.run(
        [*hub_environment(store, {}), *program],
        cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True, timeout=_FILLING_TIMEOUT_S,
    )  # fmt: skip
    return done.stdout.splitlines()[-1]


@contextmanager
def _hub(store: Store) -> Iterator[str]:
    port = free_port()
    serve = [sys.executable, "manage.py", "serve", "--port", str(port)]
    with started([*hub_environment(store, {}), *serve], port):
        yield f"http://127.0.0.1:{port}"


BENCHMARK = Benchmark(__doc__ or "", _measure, _add_options)
