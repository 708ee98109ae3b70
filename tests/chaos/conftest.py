"""A hub and an agent as real processes, with four cameras and a network that costs next to nothing.

What is tried is what outlives a process, so the machine's time goes into starts and kills.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.videos import write_wandering
from tests.journeys.conftest import database_url, hub, migrated_postgres
from tests.journeys.processes import Agent, Hub
from tests.processing.tiny_bundle import make_tiny_bundle

__all__ = ["database_url", "hub", "migrated_postgres"]

N_CAMERAS: Final = 4
_ADD_CAMERAS: Final = """
from webapp.common.clock import now
from webapp.fleet.actions.cameras import add_camera
from webapp.fleet.models import Agent
for n in range({n}):
    add_camera(
        Agent.objects.get(), at=now(), name=f"Camera {{n}}", source=f"file:{{n}}.avi",
        analysed_fps={fps},
    )
"""


@pytest.fixture
def fps() -> int:
    """How many pictures a second each camera shows; parametrize it for another rate."""
    return 10


@pytest.fixture
def agent(tmp_path: Path, hub: Hub, fps: int) -> Iterator[Agent]:
    """An agent enrolled at the running hub, with four cameras on videos of their own."""
    videos = tmp_path / "videos"
    videos.mkdir()
    for camera in range(N_CAMERAS):
        write_wandering(videos / f"{camera}.avi", camera=camera, fps=fps)
    prepared = hub.prepare(source="file:0.avi", is_new_agent=True)
    hub.start()
    agent = Agent(tmp_path, hub=hub, bundle=make_tiny_bundle(tmp_path / "tiny"), files_dir=videos)
    agent.environment.update(FARWATCH_METRICS_PORT="0", FARWATCH_DISCOVERS_CAMERAS="false")
    assert prepared.token is not None
    enrolled = agent.enroll(prepared.token)
    assert enrolled.returncode == 0, enrolled.stdout + enrolled.stderr
    hub.manage("shell", "-c", _ADD_CAMERAS.format(n=N_CAMERAS, fps=fps))
    yield agent
    agent.stop()
