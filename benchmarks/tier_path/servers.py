"""The servers under load: the tier itself, and its peers in environments of their own."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import psutil

from benchmarks.harness.benchmark import CannotMeasure
from benchmarks.ingest_path.cpu import cpu_s
from benchmarks.ingest_path.servers import ROOT, free_port
from benchmarks.tier_path.spec import Counted, Dialect, Load
from benchmarks.tier_path.wire import requests

_START_S: Final = 120.0
_STOP_S: Final = 15.0
_PAUSE_S: Final = 0.2
_OK: Final = 200


@dataclass(frozen=True)
class Asked:
    """A load, and what the server's processes used meanwhile."""

    counted: Counted
    cpu_s: float

    @property
    def per_s(self) -> float:
        return self.counted.n_answered / self.counted.seconds

    @property
    def cpu_ms(self) -> float:
        """Of one answer, refusals' share in it."""
        return 1000.0 * self.cpu_s / max(self.counted.n_answered, 1)


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    name: str
    port: int
    path: str
    dialect: Dialect
    process: psutil.Process

    def ask(
        self, pictures: Path, *, seconds: float, budget_ms: float, per_s: float = 0.0,
        n_open: int = 0, seed: int = 1,
    ) -> Asked:  # fmt: skip
        """Run a load against it to its end."""
        load = Load(
            port=self.port,
            path=self.path.format(budget_ms=budget_ms),
            dialect=self.dialect,
            pictures=str(pictures),
            seconds=seconds,
            budget_ms=budget_ms,
            per_s=per_s,
            n_open=n_open,
            seed=seed,
        )
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.tier_path.generator"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as program:  # fmt: skip
            assert program.stdin is not None
            assert program.stdout is not None
            try:
                program.stdin.write(msgspec.json.encode(load) + b"\n")
                program.stdin.flush()
                if program.stdout.readline() != b"ready\n":
                    raise CannotMeasure("the generator did not start; its words are above")
                before = self._cpu_s()
                program.stdin.write(b"go\n")
                program.stdin.flush()
                said = program.stdout.readline()
                used_s = self._cpu_s() - before
            finally:
                program.kill()
        if not said:
            raise CannotMeasure("the generator broke off; its words are above")
        counted = msgspec.json.decode(said, type=Counted)
        if not counted.n_answered:
            raise CannotMeasure(f"{self.name} answered nothing: {counted}")
        return Asked(counted, used_s)

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Let it run inside the block only: some are busy with nothing, at the others' cost."""
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self._signal(signal.SIGSTOP)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _cpu_s(self) -> float:
        return sum(map(cpu_s, self._processes()))

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def tier(bundle: Path, model: str, scratch: Path) -> Iterator[Server]:
    """Yield our own, open to this machine, with one bundle."""
    shutil.copytree(bundle, scratch / "bundles" / "served")
    port = free_port()
    settings = {
        "FARWATCH_TIER_OPEN": "true",
        "FARWATCH_TIER_PORT": str(port),
        "FARWATCH_TIER_BUNDLES": str(scratch / "bundles"),
        "FARWATCH_TIER_DATA_DIR": str(scratch / "tier"),
        "FARWATCH_TIER_LOG_LEVEL": "warning",
    }
    path = f"/api/v1/detect/?model={model}&budget_ms={{budget_ms:.0f}}"
    with _program([sys.executable, "-m", "processing.tier"], settings) as process:
        yield Server("tier", port, path, "detect", process)


@contextmanager
def ray(python: Path, model: str, scratch: Path) -> Iterator[Server]:
    """Yield the tier on Ray Serve, with one replica; `tier` has put the bundle where it looks.

    Ray finds its token, and leaves what it leaves, in a home of its own.
    """
    port = free_port()
    (scratch / "home").mkdir()
    settings = {
        "HOME": str(scratch / "home"),
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "FARWATCH_TIER_OPEN": "true",
        "FARWATCH_TIER_BUNDLES": str(scratch / "bundles"),
        "FARWATCH_TIER_DATA_DIR": str(scratch / "ray"),
        "FARWATCH_TIER_LOG_LEVEL": "warning",
    }
    path = f"/api/v1/detect/?model={model}&budget_ms={{budget_ms:.0f}}"
    command = [str(python), "-m", "benchmarks.tier_path.ray_server", str(port)]
    with _program(command, settings) as process:
        yield Server("ray", port, path, "detect", process)


@contextmanager
def litserve(python: Path, bundle: Path) -> Iterator[Server]:
    """Yield LitServe's."""
    port = free_port()
    command = [str(python), "-m", "benchmarks.tier_path.litserve_server", str(bundle), str(port)]
    with _program(command, {}) as process:
        yield Server("litserve", port, "/predict", "raw", process)


@contextmanager
def mlserver(python: Path, bundle: Path) -> Iterator[Server]:
    """Yield MLServer's."""
    port = free_port()
    command = [str(python), "-m", "benchmarks.tier_path.mlserver_server", str(bundle), str(port)]
    with _program(command, {}) as process:
        yield Server("mlserver", port, "/v2/models/look/infer", "v2", process)


def wait_for_answer(server: Server, pictures: Path) -> None:
    """Return once it judges a picture; raise `CannotMeasure` when it will not."""
    path = server.path.format(budget_ms=60_000)
    load = Load(
        port=server.port, path=path, dialect=server.dialect, pictures=str(pictures), seconds=1.0,
        budget_ms=60_000.0,
    )  # fmt: skip
    head, _, body = requests(load)[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    headers = {name: value for name, _, value in (line.partition(": ") for line in lines)}
    ends_at = time.monotonic() + _START_S
    while time.monotonic() < ends_at and server.process.is_running():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10.0)
        with suppress(OSError, http.client.HTTPException), closing(connection):
            connection.request("POST", path, body, headers)
            with connection.getresponse() as answer:
                if answer.status == _OK:
                    return
        time.sleep(_PAUSE_S)
    raise CannotMeasure(f"{server.name} does not judge a picture; its words are above")


@contextmanager
def _program(command: Sequence[str], settings: Mapping[str, str]) -> Iterator[psutil.Process]:
    """Yield a program that is ended afterwards with all that it began.

    LitServe's workers outlive it otherwise, and hold its port.
    """
    words = [f"{name}={value}" for name, value in settings.items()]
    with subprocess.Popen(
        ["/usr/bin/env", *words, *command],
        cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True,
    ) as program:  # fmt: skip
        try:
            yield psutil.Process(program.pid)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGCONT)
            program.terminate()
            with suppress(subprocess.TimeoutExpired):
                program.wait(_STOP_S)
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
