"""An agent's link with cameras whose packets are ready: `python -m … < Cameras`, until killed.

It says `ready` once the hub has let it in. Results go through its outbox meanwhile, as in life.
"""

import asyncio
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import msgspec
import structlog

from benchmarks.ingest_path.traffic import DIGEST, make_frames
from benchmarks.live_path.spec import Cameras
from benchmarks.live_path.street import play
from edge_agent.clock import utc_now
from edge_agent.health import Health
from edge_agent.identity import IdentityFiles
from edge_agent.link import Link
from edge_agent.live import LiveDesk
from edge_agent.live_video import LiveVideoTap
from edge_agent.outbox import Outbox
from edge_agent.portions import Portions
from edge_agent.session import Parts
from processing.wire.messages import LiveBoxes, Result

_ANALYSED_EVERY = 3
"""Of the pictures: 5 a second."""


def _film(spec: Cameras, desk: LiveDesk, outbox: Outbox) -> None:
    """Play all cameras, and find things in some of their pictures at once."""
    frames = make_frames()
    camera_ids = spec.tables.camera_ids
    taps = [LiveVideoTap(camera_id, desk, may_show=lambda: True) for camera_id in camera_ids]

    def find(camera: int, number: int) -> None:
        if number % _ANALYSED_EVERY:
            return
        camera_id, at, found = camera_ids[camera], utc_now(), frames[number % len(frames)]
        outbox.append(Result(camera_id, at, DIGEST, found, (), 40.0, None))
        if taps[camera].is_running:
            desk.put_boxes(
                LiveBoxes(camera_id=camera_id, captured_at=at, bundle=DIGEST, detections=found)
            )

    for _ in play(Path(spec.video), taps, find):
        pass


async def _run(spec: Cameras) -> None:
    health = Health(utc_now)
    outbox = Outbox(
        Path(spec.folder) / "outbox.db", capacity_bytes=500_000_000, now=utc_now, problems=health
    )
    desk = LiveDesk()
    parts = Parts(
        identity=IdentityFiles(Path(spec.folder)).load(),
        boot_id=uuid4(),
        software="benchmark",
        outbox=outbox,
        live=desk,
        health=health,
        portions=Portions(),
        on_desired=lambda _desired: None,
        on_clips=lambda _demand: None,
        now=utc_now,
    )
    link = Link(f"http://127.0.0.1:{spec.port}", parts, dice=random.Random(1))  # noqa: S311 - backoff
    loop = asyncio.get_running_loop()

    def on_loop(call: Callable[[], None]) -> Callable[[], None]:
        def from_any_thread() -> None:
            loop.call_soon_threadsafe(call)

        return from_any_thread

    outbox.call_on_commit(on_loop(link.wake))
    desk.call_on_put(on_loop(link.wake))
    running = asyncio.create_task(link.run())
    while not link.is_up:  # noqa: ASYNC110 - a program's start, asked for once
        await asyncio.sleep(0.05)
    threading.Thread(target=_film, args=(spec, desk, outbox), daemon=True).start()
    print("ready", flush=True)
    await running


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(_run(msgspec.json.decode(sys.stdin.readline(), type=Cameras)))
