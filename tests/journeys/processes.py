"""Real programs for journeys: a hub, a worker and an agent over loopback, killed at will."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0
"""A busy machine is no failure: this only ends what hangs."""
T = TypeVar("T")


class Prepared(msgspec.Struct):
    """What `manage.py prepare_demo` prints."""

    user: str
    password: str
    agent_id: str | None
    token: str | None


def wait_for(what: str, condition: Callable[[], T | None], *, timeout_s: float = PATIENCE_S) -> T:
    """Return the condition's first value that is neither None nor False."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = condition()
        if value is not None and value is not False:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {timeout_s:.0f} s")


@dataclass
class Program:
    """A child process whose log is kept beside its data."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """Kill -9: nothing is flushed, nobody is told."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to stop; return its exit status."""
        return self._end(signal.SIGTERM)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not end: see {self.log}") from None


class Hub:
    """A hub with a database of its own."""

    def __init__(self, folder: Path, *, database_url: str = "") -> None:
        self.data_dir = folder / "hub"
        self.data_dir.mkdir(parents=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database_url = database_url or f"sqlite:///{self.data_dir / 'hub.sqlite3'}"
        self.environment = {
            "FARWATCH_DATA_DIR": str(self.data_dir),
            "DATABASE_URL": self.database_url,
        }
        serve = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        self.web = Program("hub", serve, self.environment, folder / "hub.log")
        self.worker = Program(
            "worker",
            [sys.executable, "manage.py", "work"],
            {**self.environment, "FARWATCH_SQLITE_CHECKPOINTS": "false"},
            folder / "worker.log",
        )

    def take_tables(self, migrated: Path) -> None:
        """Begin with a copy of a migrated SQLite file."""
        shutil.copyfile(migrated, self.data_dir / "hub.sqlite3")

    def serve_with(self, server: str) -> None:
        """Choose the web server of the next start."""
        self.web.command += ["--server", server]

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end; return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def prepare(self, *, source: str, is_new_agent: bool) -> Prepared:
        """Migrate, and make the demo's organization, user and camera."""
        arguments = ["prepare_demo", "--source", source]
        printed = self.manage(*arguments, *(["--new-agent"] if is_new_agent else []))
        return msgspec.json.decode(printed.splitlines()[-1], type=Prepared)

    def start(self) -> None:
        self.web.start()
        wait_for("the hub answers", self._answers)

    def health(self) -> dict[str, object]:
        answer = httpx.get(f"{self.url}/healthz", timeout=PATIENCE_S, trust_env=False)
        return dict(answer.json())

    def stop(self) -> None:
        for program in (self.worker, self.web):
            if program.is_running:
                program.stop()

    def _answers(self) -> bool:
        assert self.web.is_running, self.web.log.read_text()[-4000:]
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/healthz", timeout=PATIENCE_S, trust_env=False).is_success
        return False


class Agent:
    """An agent with a data folder of its own and a ledger of what it made."""

    def __init__(self, folder: Path, *, hub: Hub, bundle: Path, files_dir: Path) -> None:
        self.data_dir = folder / "agent"
        self.data_dir.mkdir(parents=True)
        self.ledger = folder / "ledger"
        self.environment = {
            "FARWATCH_DATA_DIR": str(self.data_dir),
            "FARWATCH_HUB_URL": hub.url,
            "FARWATCH_BUNDLE": str(bundle),
            "FARWATCH_METRICS_PORT": "0",
            "FARWATCH_DISCOVERS_CAMERAS": "false",
            "FARWATCH_FILES_DIR": str(files_dir),
            "FARWATCH_LEDGER": str(self.ledger),
        }
        self._hub = hub
        self.program = Program(
            "agent", [sys.executable, "-m", "edge_agent", "run"], self.environment,
            folder / "agent.log",
        )  # fmt: skip

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run an agent's command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "edge_agent", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def enroll(self, token: str) -> subprocess.CompletedProcess[str]:
        return self.command("enroll", "--hub", self._hub.url, "--token", token, "--name", "demo")

    def start(self) -> None:
        self.program.start()

    def stop(self) -> None:
        if self.program.is_running:
            self.program.stop()
