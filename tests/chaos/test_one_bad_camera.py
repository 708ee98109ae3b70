"""A camera that hangs, or talks rubbish, takes nothing from the two beside it."""

import os
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from processing.wire.camera import DesiredCamera
from tests.chaos.bad_cameras import BadServer
from tests.chaos.reckoning import read_ledger
from tests.chaos.videos import write_wandering
from tests.edge_agent.lone_agent import LoneAgent
from tests.journeys.processes import wait_for

FPS: Final = 5.0
GOOD: Final = (UUID(int=1), UUID(int=2))
BAD: Final = UUID(int=3)
WATCHED_S: Final = 12.0
LONGEST_PAUSE_S: Final = 1.5
"""Between two results of a good camera: more than a busy machine needs, less than a hang."""


@pytest.mark.parametrize(
    ("talks", "source"),
    [
        (False, "rtsp://127.0.0.1:{port}/stream"),
        (True, "http://127.0.0.1:{port}/video.mjpg"),
        (False, "file:letter.avi"),
        *(
            # The other two pairs take the same ways, and half a minute each.
            (
                (False, "http://127.0.0.1:{port}/video.mjpg"),
                (True, "rtsp://127.0.0.1:{port}/stream"),
            )
            if os.environ.get("FARWATCH_SOAK")
            else ()
        ),
    ],
)
@pytest.mark.soak
def test_the_others_go_on_at_their_rate(tmp_path: Path, source: str, *, talks: bool) -> None:
    (tmp_path / "letter.avi").write_text("Dear all")
    good = [good_camera(tmp_path, n) for n in range(len(GOOD))]
    ledger = tmp_path / "ledger"
    with BadServer(talks=talks) as server:
        bad = DesiredCamera(camera_id=BAD, name="Bad", source=source.format(port=server.port))
        with LoneAgent(tmp_path, bad, *good, ledger=ledger, discovers_cameras=False) as agent:
            wait_for("both were watched a while", lambda: watched_s(ledger) >= WATCHED_S)
            wait_for("the bad one is told", lambda: is_told(agent))
        assert agent.process.returncode == 0
    instants = instants_of(ledger)
    assert instants.keys() == set(GOOD)
    for found in instants.values():
        pauses = [(later - before).total_seconds() for before, later in pairwise(found)]
        assert max(pauses) < LONGEST_PAUSE_S
        assert len(found) > FPS * WATCHED_S / 2


def good_camera(folder: Path, n: int) -> DesiredCamera:
    write_wandering(folder / f"{n}.avi", camera=n, fps=20)
    return DesiredCamera(
        camera_id=GOOD[n], name=f"Good {n}", source=f"file:{n}.avi", analysed_fps=FPS
    )


def is_told(agent: LoneAgent) -> bool:
    words = ("camera.unreachable", "camera.stalled")
    return any(said["event"] in words and said["camera"] == "Bad" for said in agent.events())


def instants_of(ledger: Path) -> dict[UUID, list[datetime]]:
    """Return when the results of each camera were captured, in order."""
    _, made = read_ledger(ledger)
    instants: dict[UUID, list[datetime]] = {}
    for frame in made.values():
        instants.setdefault(frame.camera_id, []).append(frame.captured_at)
    return {camera_id: sorted(found) for camera_id, found in instants.items()}


def watched_s(ledger: Path) -> float:
    """Return how long both good cameras have been watched, from first to last result."""
    instants = instants_of(ledger)
    if instants.keys() != set(GOOD):
        return 0.0
    return min((found[-1] - found[0]).total_seconds() for found in instants.values())
