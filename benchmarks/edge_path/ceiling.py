"""What the cores could do if only the bare decoder and the bare network ran."""

import os
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av

from benchmarks.harness.benchmark import CannotMeasure
from processing.inference.bundle import Bundle
from processing.inference.engine import best_artifact

N_CORES: Final = len(os.sched_getaffinity(0))
_START_UP_S: Final = 60.0
_COUNT: Final = re.compile(r"Count:\s+([0-9]+) iterations")
_THROUGHPUT: Final = re.compile(r"Throughput:\s+([0-9.]+) FPS")


@dataclass(frozen=True)
class Bare:
    """How fast one part is by itself, with all cores loaded."""

    per_s: float
    cpu_ms: float
    """CPU milliseconds of one."""


def bare_decoding(video: Path, *, seconds: float) -> Bare:
    """Measure one bare PyAV decoder a core, without any conversion."""
    stop = threading.Event()
    counts = [0] * N_CORES

    def decode(core: int) -> None:
        while not stop.is_set():
            with av.open(str(video)) as container:
                stream = container.streams.video[0]
                stream.thread_count = 1
                for _ in container.decode(stream):
                    counts[core] += 1
                    if stop.is_set():
                        return

    threads = [threading.Thread(target=decode, args=(core,)) for core in range(N_CORES)]
    cpu_before, begun = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    n, cpu_s = max(sum(counts), 1), time.process_time() - cpu_before
    return Bare(n / (time.perf_counter() - begun), 1000.0 * cpu_s / n)


def bare_inference(bundle: Bundle, *, seconds: float) -> Bare:
    """Measure OpenVINO's own `benchmark_app -hint throughput` on the artifact that agents run.

    Its CPU time includes starting and compiling, so a run of hardly any inference is taken off.
    """
    network = bundle.locate(best_artifact(bundle.manifest).files[0])
    short, short_cpu_s = _cpu_of(lambda: _benchmark_app(network, "-niter", "2"))
    long, long_cpu_s = _cpu_of(lambda: _benchmark_app(network, "-t", str(max(1, round(seconds)))))
    n = max(_found(_COUNT, long) - _found(_COUNT, short), 1.0)
    return Bare(_found(_THROUGHPUT, long), 1000.0 * (long_cpu_s - short_cpu_s) / n)


def _benchmark_app(network: Path, *options: str) -> str:
    program = str(Path(sys.executable).with_name("benchmark_app"))
    command = [program, "-m", str(network), "-d", "CPU", "-hint", "throughput", *options]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=2 * _START_UP_S, check=False
    )
    return done.stdout


def _found(pattern: re.Pattern[str], printed: str) -> float:
    if (found := pattern.search(printed)) is None:
        raise CannotMeasure(f"benchmark_app did not say what it measured: {printed[-500:]}")
    return float(found[1])


def _cpu_of(run: Callable[[], str]) -> tuple[str, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    printed = run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return printed, spent
