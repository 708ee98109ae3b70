"""A camera that hangs keeps nobody from what else is to be ended."""

import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from edge_agent.backlog import Entry  # noqa: TC001  # at run time a reader looks for it here
from edge_agent.capture import Surroundings
from edge_agent.clips.shelf import ClipShelf
from edge_agent.clock import utc_now
from edge_agent.health import Health
from edge_agent.live import LiveDesk
from edge_agent.reconcile import Start, Stop
from edge_agent.watch import Network, Watch
from processing.inference.fake import FakeEngine
from processing.tracking.ids import track_ids
from processing.vision.frame import Frame
from processing.wire.camera import ClipPolicy, DesiredCamera
from tests.edge_agent.entries import BUNDLE, wait_until

CAMERA = DesiredCamera(
    camera_id=UUID(int=77), name="yard", source="synthetic:", clips=ClipPolicy(is_on=True)
)


class Hanging:
    """Sends nothing, and does not listen, until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.is_read = threading.Event()

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        self.is_read.set()
        self.let_go.wait()
        yield from ()


def clip_threads() -> list[str]:
    return [
        thread.name
        for thread in threading.enumerate()
        if thread.name == "clips " + str(UUID(int=77))
    ]


def test_the_clips_of_a_camera_that_hangs_are_finished_as_soon_as_it_is_stopped(
    tmp_path: Path,
) -> None:
    feed, health = Hanging(), Health(utc_now)
    entries: list[Entry] = []
    watch = Watch(
        Network(FakeEngine([]), BUNDLE, ("person", "car")),
        around=Surroundings(
            lambda _camera, _tap: feed, health, entries.append, utc_now, lambda: 0.5
        ),
        health=health,
        live=LiveDesk(),
        append=entries.append,
        ids=track_ids(1),
        shelf=ClipShelf(tmp_path, max_mb=10, max_days=1.0),
    )
    try:
        watch.apply(Start(CAMERA))
        assert feed.is_read.wait(20.0)
        assert clip_threads()
        watch.apply(Stop(CAMERA.camera_id))
        wait_until(lambda: not clip_threads(), timeout_s=5.0)
    finally:
        feed.let_go.set()
        watch.close()
