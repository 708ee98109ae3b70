"""A batch through a hub's worker, against the bare loop over the same pictures in the same run."""

import argparse
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import msgspec

from benchmarks.batch_path.bare import judge_bare
from benchmarks.batch_path.pictures import take_pictures
from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say
from deploy.default_bundle import default_bundle_path
from processing.inference.bundle import BadBundle, Bundle

ROOT: Final = Path(__file__).parents[1]
N_PICTURES: Final = 1_000
QUICK: Final = 200
ROUNDS: Final = 3
N_KILLS: Final = 3
_LEASE_S: Final = "1"
_PATIENCE_S: Final = 900.0
_LOOK_S: Final = 0.1
_SEEN: Final = """
SELECT batch.state, coalesce(sum(shard.n_done), 0)
FROM batches_batch batch LEFT JOIN batches_shard shard ON shard.batch_id = batch.id
GROUP BY batch.id ORDER BY batch.id DESC LIMIT 1
"""


class Progress(msgspec.Struct):
    """What `benchmarks.batch_path.hub` prints of the newest batch."""

    state: str
    n_done: int
    n_items: int
    n_distinct: int
    """Pictures with exactly one outcome."""


class Cost(NamedTuple):
    """Of one run over all pictures."""

    cpu_s: float
    wall_s: float


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, default=default_bundle_path(), help="default: ours")
    parser.add_argument("--images", type=Path, help="folder of JPEGs; default: the sample video's")
    parser.add_argument("--pictures", type=int, default=0, help=f"default: {N_PICTURES}")
    parser.add_argument("--kills", type=int, default=N_KILLS, help="of the worker, in a last run")


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    n_pictures = options.pictures or (QUICK if options.quick else N_PICTURES)
    try:
        bundle = Bundle.open(options.bundle)
    except BadBundle as error:
        raise CannotMeasure(str(error)) from error
    with tempfile.TemporaryDirectory(prefix="farwatch-batch-") as folder:
        room = _Room(Path(folder), options.bundle)
        say("pictures")
        n_pictures = take_pictures(options.images, room.inbox(), n=n_pictures)
        bare, batch, idle = [], [], []
        for number in range(1 if options.quick else ROUNDS):
            say(f"round {number + 1}: the bare loop")
            bare.append(_timed(lambda: judge_bare(bundle, room.inbox())))
            say(f"round {number + 1}: a worker with nothing to do")
            idle.append(_timed(room.work))
            say(f"round {number + 1}: a batch")
            room.begin()
            batch.append(_timed(room.work))
            room.check()
        bare_s, batch_s = (median(each.cpu_s for each in some) for some in (bare, batch))
        start_s = median(each.cpu_s for each in idle)
        figures = {
            "pictures_per_s": round(n_pictures / median(each.wall_s for each in batch), 2),
            "bare_pictures_per_s": round(n_pictures / median(each.wall_s for each in bare), 2),
            "over_engine_ratio": round(bare_s / batch_s, 3),
            "over_engine_once_started_ratio": round(bare_s / (batch_s - start_s), 3),
            "worker_start_cpu_s": round(start_s, 2),
            "batch_cpu_ms": round(1e3 * batch_s / n_pictures, 2),
            "n_pictures": float(n_pictures),
        }
        say("a batch whose worker is killed")
        figures["resumed_after_kills"] = float(room.run_killed(options.kills))
    return Outcome(
        figures=figures,
        notes=(
            "ceiling: one engine and as many threads, in this process, which keep nothing",
            "the worker's CPU has its own start, the list of pictures and the hub's writes in it",
            "once_started leaves out what a worker costs that finds nothing to do",
            "resumed_after_kills: kill -9 of the worker, after which each picture had one outcome",
        ),
    )


class _Room:
    """A hub of its own, with a folder of pictures in its store."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self._database = folder / "hub.sqlite3"
        bundles = folder / "bundles"
        bundles.mkdir()
        (bundles / bundle.name).symlink_to(bundle.resolve(), target_is_directory=True)
        self._environment = {
            **os.environ,  # noqa: TID251 - what the hub inherits
            "FARWATCH_DATA_DIR": str(folder / "hub"),
            "FARWATCH_BUNDLES_DIR": str(bundles),
            "DATABASE_URL": f"sqlite:///{self._database}",
            "FARWATCH_LOG_LEVEL": "ERROR",
        }
        self._manage("migrate", "--verbosity", "0")
        organization = self._hub("prepare")
        self._inbox = folder / "hub" / "media" / organization / "folders" / "bench"
        self._inbox.mkdir(parents=True)

    def inbox(self) -> Path:
        return self._inbox

    def begin(self) -> None:
        """Begin a batch of all pictures; no worker is there yet."""
        self._hub("begin")

    def work(self) -> None:
        """Have a worker do all that there is to do, from its start to its end."""
        self._manage("work", "--until-idle", "--lease-s", _LEASE_S)

    def run_killed(self, n_kills: int) -> int:
        """Kill the worker so often in the middle; return how often all went on as if not."""
        self.begin()
        n_before = 0
        for n_killed in range(n_kills + 1):
            worker = self._start_worker()
            try:
                n_before = self._wait(n_before, until_done=n_killed == n_kills)
            finally:
                worker.kill()
                worker.wait()
        self.check()
        return n_kills

    def check(self) -> None:
        """Raise `CannotMeasure` unless the newest batch has every picture once, in order."""
        seen = self._progress()
        if seen.state != "done" or not seen.n_items == seen.n_done == seen.n_distinct:
            raise CannotMeasure(f"the batch did not end as it should: {seen}")

    def _wait(self, n_before: int, *, until_done: bool) -> int:
        """Return how many pictures are judged once they are more, or the newest batch is done."""
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            with closing(sqlite3.connect(self._database, timeout=20)) as database:
                state, n_done = database.execute(_SEEN).fetchone()
            if state == "done" or (n_done > n_before and not until_done):
                return int(n_done)
            time.sleep(_LOOK_S)
        raise CannotMeasure("the batch stands still")

    def _start_worker(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "manage.py", "work", "--lease-s", _LEASE_S],
            cwd=ROOT,
            env=self._environment,
        )

    def _progress(self) -> Progress:
        return msgspec.json.decode(self._hub("progress"), type=Progress)

    def _hub(self, what: str) -> str:
        command = [sys.executable, "-m", "benchmarks.batch_path.hub", what]
        done = subprocess.run(
            command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip().splitlines()[-1]

    def _manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(command, cwd=ROOT, env=self._environment, check=True)


def _timed(run: Callable[[], None]) -> Cost:
    """Return what a run costs, children that have ended included."""
    before, began = _cpu_s(), time.monotonic()
    run()
    return Cost(_cpu_s() - before, time.monotonic() - began)


def _cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


BENCHMARK: Final = Benchmark(
    summary="A batch through a hub's worker, against the bare loop over the same pictures.",
    measure=_measure,
    add_options=_add_options,
)
