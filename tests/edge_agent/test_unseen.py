"""A camera that falls silent in the middle of an event does not leave the event running."""

import threading
from collections.abc import Iterator
from uuid import UUID

import numpy as np
import pytest

from edge_agent import runner as runner_module
from edge_agent.backlog import Entry  # noqa: TC001  # at run time a reader looks for it here
from edge_agent.capture import Surroundings
from edge_agent.clock import utc_now
from edge_agent.health import Health
from edge_agent.live import LiveDesk
from edge_agent.reconcile import Start
from edge_agent.sources.synthetic import SyntheticFeed
from edge_agent.watch import Network, Watch
from processing.inference.fake import FakeEngine
from processing.tracking.ids import track_ids
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera
from processing.wire.messages import EventRaised
from processing.wire.scene import InZone, Rule, Scene, Zone
from tests.edge_agent.entries import BUNDLE, wait_until

_UNSEEN_S = 2.5
YARD = Zone(zone_id=UUID(int=1), name="Yard", polygon=((0, 0), (1, 0), (1, 1), (0, 1)))
RULE = Rule(rule_id=UUID(int=2), name="Yard", condition=InZone(zone_id=YARD.zone_id, after_s=0.0))
ONE_CAR = Detections(
    np.array([[10, 10, 60, 60]], np.float32), np.array([0.9], np.float32), np.array([1], np.int32)
)


class CutCable:
    """Sends a few pictures, and then nothing at all."""

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        feed = SyntheticFeed(now=utc_now, fps=50.0, width=128, height=96)
        for n, frame in enumerate(feed.frames(stop)):
            if n == 10:
                break
            yield frame
        stop.wait()


def test_an_event_ends_when_its_camera_shows_nothing_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner_module, "_UNSEEN_S", _UNSEEN_S)
    entries: list[Entry] = []
    health = Health(utc_now)

    def phases() -> list[str]:
        words = [entry for entry in tuple(entries) if isinstance(entry, EventRaised)]
        return [word.phase for word in words if word.event_id]

    watch = Watch(
        Network(FakeEngine([ONE_CAR] * 100), BUNDLE, ("person", "car")),
        around=Surroundings(
            lambda _camera, _tap: CutCable(), health, entries.append, utc_now, lambda: 0.5
        ),
        health=health,
        live=LiveDesk(),
        append=entries.append,
        ids=track_ids(1),
    )
    camera = DesiredCamera(
        camera_id=UUID(int=3),
        name="yard",
        source="synthetic:",
        analysed_fps=50.0,
        scene=Scene(zones=(YARD,), rules=(RULE,)),
    )
    try:
        watch.apply(Start(camera))
        wait_until(lambda: "start" in phases())
        wait_until(lambda: "end" in phases())
    finally:
        watch.close()
    assert phases() == ["start", "end"]
