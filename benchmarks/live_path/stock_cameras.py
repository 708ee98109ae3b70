"""The cameras of the stock consumer; says what `cameras` does, until killed."""

import asyncio
import sys
import threading
from pathlib import Path

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.live_path.spec import Cameras
from benchmarks.live_path.street import play
from edge_agent.live import LiveDesk
from edge_agent.live_video import LiveVideoTap
from processing.wire.browser import VideoHeader, video_frame
from processing.wire.messages import LiveDemand, LiveVideo, LiveView

_MOST_WAITING = 300


def _frame(video: LiveVideo) -> bytes:
    header = VideoHeader(
        captured_at=video.captured_at,
        number=video.number,
        at_s=video.at_s,
        width=video.width,
        height=video.height,
        codec=video.codec,
        n_init=len(video.init),
    )
    return video_frame(header, video.init, video.fragment)


async def _send(socket: ClientConnection, waiting: asyncio.Queue[bytes]) -> None:
    while True:
        await socket.send(await waiting.get())


async def _run(spec: Cameras) -> None:
    camera_ids = spec.tables.camera_ids
    desk = LiveDesk()
    views = tuple(LiveView(camera_id=camera_id, has_video=True) for camera_id in camera_ids)
    taps = [LiveVideoTap(camera_id, desk, may_show=lambda: True) for camera_id in camera_ids]
    loop = asyncio.get_running_loop()
    waiting = asyncio.Queue[bytes](_MOST_WAITING)

    def put(frame: bytes) -> None:
        if not waiting.full():
            waiting.put_nowait(frame)

    def pass_on(camera: int, number: int) -> None:
        if number % 100 == 0:
            desk.demand(LiveDemand(views=views, expires_s=120))
        while isinstance(video := desk.take(), LiveVideo):
            loop.call_soon_threadsafe(put, bytes([camera]) + _frame(video))

    def film() -> None:
        desk.demand(LiveDemand(views=views, expires_s=120))
        for _ in play(Path(spec.video), taps, pass_on):
            pass

    async with connect(
        f"ws://127.0.0.1:{spec.port}/cameras", compression=None, proxy=None
    ) as socket:
        threading.Thread(target=film, daemon=True).start()
        print("ready", flush=True)
        await _send(socket, waiting)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(_run(msgspec.json.decode(sys.stdin.readline(), type=Cameras)))
