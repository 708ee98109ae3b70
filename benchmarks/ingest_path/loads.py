"""Running a load, a program of its own, against a server whose CPU is watched."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.harness.benchmark import CannotMeasure
from benchmarks.ingest_path.cpu import Cpu, CpuMeter
from benchmarks.ingest_path.swarm import Delivered, Spec

ROOT: Final = Path(__file__).parents[2]


def run_load(load: str, spec: Spec, meter: CpuMeter) -> tuple[Delivered, Cpu]:
    """Run a load to its end; return what it says and what the server did meanwhile."""
    with subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.ingest_path.{load}"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        try:
            program.stdin.write(msgspec.json.encode(spec) + b"\n")
            program.stdin.flush()
            if program.stdout.readline() != b"ready\n":
                raise CannotMeasure(f"{load} could not connect; its words are above")
            before = meter.read()
            program.stdin.write(b"go\n")
            program.stdin.flush()
            said = program.stdout.readline()
            used = meter.read() - before
        finally:
            program.kill()
    if not said:
        raise CannotMeasure(f"{load} broke off; its words are above")
    return msgspec.json.decode(said, type=Delivered), used
