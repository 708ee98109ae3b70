"""An agent that runs for long takes no more memory than one that has just begun to work."""

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median
from uuid import UUID

import numpy as np

from processing.wire.camera import ClipPolicy, DesiredCamera, MotionGate, SamplePolicy
from processing.wire.scene import Crossed, InZone, Line, Rule, Scene, Zone
from tests.edge_agent.entries import wait_until
from tests.edge_agent.lone_agent import LoneAgent
from tests.processing.media.videos import write_video

WHOLE_S = 3600
QUICK_S = 26
"""Where nobody soaks."""
WARM_S = 4.0
WARM_BYTES = 1_000_000
"""Memory that has grown by no more for so long has filled up with what is kept; a leak goes on."""
LONGEST_WARM_UP_S = 60.0
EVERY_S = 0.25
MOST_GROWTH_BYTES = {WHOLE_S: 8_000_000, QUICK_S: 4_000_000}
"""Between the first and the last third. A picture is 0.35 MB: one in ten thousand that is not freed
is more in an hour, and one in 150 in 26 seconds."""

YARD = Zone(zone_id=UUID(int=1), name="Yard", polygon=((0, 0), (1, 0), (1, 1), (0, 1)))
GATE = Line(line_id=UUID(int=2), name="Gate", start=(0.5, 0.0), end=(0.5, 1.0))
SCENE = Scene(
    zones=(YARD,),
    lines=(GATE,),
    rules=(
        Rule(rule_id=UUID(int=3), name="Somebody", condition=InZone(zone_id=YARD.zone_id)),
        Rule(rule_id=UUID(int=4), name="In", condition=Crossed(line_id=GATE.line_id)),
    ),
)


def make_video(path: Path) -> None:
    """Write two seconds in which something red crosses the picture."""
    shown = []
    for number in range(100):
        picture = np.full((360, 640, 3), 60, np.uint8)
        left = number * 6
        picture[120:240, left : left + 120] = (0, 0, 255)
        shown.append(picture)
    write_video(path, shown, codec="libx264", fps=50)


def warm_up(agent: LoneAgent) -> None:
    """Return once the agent's memory has stopped to grow, or it took too long."""
    wait_until(lambda: '"camera.online"' in agent.said, timeout_s=60)
    begun = since = time.monotonic()
    most = agent.resident_bytes()
    while time.monotonic() - since < WARM_S and time.monotonic() - begun < LONGEST_WARM_UP_S:
        time.sleep(EVERY_S)
        if agent.resident_bytes() > most + WARM_BYTES:
            most, since = agent.resident_bytes(), time.monotonic()


def test_memory_is_flat(tmp_path: Path, soaked: Callable[[int], int]) -> None:
    make_video(tmp_path / "yard.mp4")
    cameras = [
        DesiredCamera(
            camera_id=UUID(int=number),
            name=f"Yard {number}",
            source="file:yard.mp4",
            analysed_fps=50.0,
            samples=SamplePolicy(every_s=0.5, random_share=0.5),
            gate=MotionGate(is_on=is_gated),
            clips=ClipPolicy(is_on=is_gated, before_s=1.0, after_s=1.0),
            scene=SCENE,
        )
        for number, is_gated in ((10, False), (11, True))
    ]
    lasts_s = WHOLE_S if soaked(WHOLE_S) == WHOLE_S else QUICK_S
    found: list[int] = []
    with LoneAgent(tmp_path, *cameras, outbox_max_mb=1) as agent:
        warm_up(agent)
        begun = time.monotonic()
        for number in count(1):
            found.append(agent.resident_bytes())
            next_at = begun + number * EVERY_S
            if next_at > begun + lasts_s:
                break
            time.sleep(max(0.0, next_at - time.monotonic()))
    third = len(found) // 3
    growth = median(found[-third:]) - median(found[:third])
    assert growth < MOST_GROWTH_BYTES[lasts_s], [
        n // 100_000 / 10 for n in found[:: max(1, third // 10)]
    ]
