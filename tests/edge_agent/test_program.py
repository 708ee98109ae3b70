"""The agent as a program: a real process, a real video, a real (tiny) network, a fake hub."""

import asyncio
import hashlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import structlog

from edge_agent.cli import main
from edge_agent.identity import IdentityFiles, Membership
from processing.wire.camera import DesiredCamera, SamplePolicy
from processing.wire.messages import DesiredState, Result
from tests.edge_agent.fake_hub import FakeHub
from tests.processing.media.videos import write_video
from tests.processing.tiny_bundle import make_tiny_bundle

ROOT = Path(__file__).parents[2]
CAMERA = DesiredCamera(
    camera_id=UUID(int=3), name="Gate", source="file:gate.avi", analysed_fps=50.0,
    samples=SamplePolicy(every_s=0.5, random_share=0.5),
)  # fmt: skip


@dataclass
class Agent:
    """A process that may be started again."""

    folder: Path
    hub: FakeHub
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger"

    def start(self) -> None:
        environment = {
            **os.environ,
            "FARWATCH_DATA_DIR": str(self.folder / "agent"),
            "FARWATCH_BUNDLE": str(self.folder / "tiny"),
            "FARWATCH_METRICS_PORT": "0",
            "FARWATCH_DISCOVERS_CAMERAS": "false",
            "FARWATCH_FILES_DIR": str(self.folder),
            "FARWATCH_HUB_URL": self.hub.url,
        }
        command = [sys.executable, "-m", "edge_agent", "run", "--ledger", str(self.ledger)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)

    async def end(self, number: signal.Signals) -> int:
        """Send a signal; return the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return await asyncio.to_thread(self.process.wait, 15)

    def made(self) -> dict[tuple[int, int], str]:
        """Return what the ledger says is on disk: epoch and seq, with the digest."""
        lines = [line.split() for line in self.ledger.read_text().splitlines()]
        return {(int(line[1]), int(line[3])): line[6] for line in lines if line[0] == "made"}

    def stored(self) -> dict[tuple[int, int], str]:
        return {
            (epoch, seq): hashlib.sha256(entry.detections).hexdigest()[:32]
            for (epoch, _, seq), entry in self.hub.stored.items()
            if isinstance(entry, Result)
        }


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    make_tiny_bundle(tmp_path / "tiny")
    red = [np.full((64, 64, 3), (0, 0, 255), np.uint8)] * 20
    write_video(tmp_path / "gate.avi", red, codec="ffv1", pixels="bgr0", fps=50)
    files = IdentityFiles(tmp_path / "agent")
    hub = FakeHub(UUID(int=5), files.key().public_key().public_bytes_raw())
    hub.desired = DesiredState(version=1, cameras=(CAMERA,))
    files.save(
        Membership(
            agent_id=hub.agent_id,
            hub_id=hub.hub_id,
            hub_url="http://127.0.0.1:1",
            organization="Farm",
            site="Barn",
        )
    )
    agent = Agent(tmp_path, hub)
    yield agent
    if agent.process is not None and agent.process.poll() is None:
        agent.process.kill()
        agent.process.wait()


@pytest.fixture
def _own_logs() -> Iterator[None]:
    """Give the other tests their logs back: the command line sets up its own."""
    before = structlog.get_config()
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.configure(**before)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


async def test_it_works_and_stops_when_asked_without_losing_anything(agent: Agent) -> None:
    async with agent.hub.run() as hub:
        agent.start()
        await hub.until(lambda: hub.counts()["results"] >= 30 and hub.counts()["media"])
        begun = time.monotonic()
        assert await agent.end(signal.SIGTERM) == 0
        assert time.monotonic() - begun < 10.0
        agent.start()  # what was made in the last moment is sent by the next start
        made = agent.made()
        await hub.until(lambda: made.items() <= agent.stored().items())
        await agent.end(signal.SIGINT)
    assert hub.n_repeated == 0
    assert any(result.detections for result in hub.lane("results") if isinstance(result, Result))
    assert hub.reports[-1].problems == ()


async def test_killed_again_and_again_it_loses_and_repeats_nothing(
    agent: Agent, soaked: Callable[[int], int]
) -> None:
    async with agent.hub.run() as hub:
        for n_kills in range(1, soaked(150) + 1):
            n_results = 15 * n_kills
            agent.start()
            await hub.until(lambda: hub.counts()["results"] >= n_results)  # noqa: B023  # at once
            await agent.end(signal.SIGKILL)
        agent.start()
        made = agent.made()
        await hub.until(lambda: made.items() <= agent.stored().items())
        await agent.end(signal.SIGTERM)
    assert len({epoch for epoch, _ in made}) == 1


async def test_without_a_hub_it_works_on_what_it_was_told_last(agent: Agent) -> None:
    async with agent.hub.run() as hub:
        agent.start()
        await hub.until(lambda: hub.counts()["results"])
        await agent.end(signal.SIGTERM)
        port = hub.port
    n_before = len(agent.made())
    agent.start()
    await agent.hub.until(lambda: len(agent.made()) >= n_before + 20)
    async with agent.hub.run(port) as hub:
        made = agent.made()
        await hub.until(lambda: made.items() <= agent.stored().items())
        await agent.end(signal.SIGTERM)


@pytest.mark.usefixtures("_own_logs")
def test_an_agent_that_belongs_to_no_hub_says_how_to_join(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FARWATCH_DATA_DIR", str(tmp_path))
    assert main(["run"]) == 1
    assert "enroll --hub" in capsys.readouterr().err


@pytest.mark.usefixtures("_own_logs")
def test_a_hub_out_of_reach_fails_enrolment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FARWATCH_DATA_DIR", str(tmp_path))
    assert main(["enroll", "--hub", "http://127.0.0.1:9", "--token", "fw1_0_secret"]) == 1
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.usefixtures("_own_logs")
def test_a_wrong_setting_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FARWATCH_HUB_URL", "http://hub.example.org")
    assert main(["doctor"]) == 1
    assert "not encrypted" in capsys.readouterr().err


@pytest.mark.usefixtures("_own_logs")
def test_the_doctor_s_status_says_whether_all_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FARWATCH_DATA_DIR", str(tmp_path / "nowhere"))
    assert main(["doctor"]) == 1
    assert "PROBLEM  data folder" in capsys.readouterr().out
