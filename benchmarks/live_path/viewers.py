"""Viewers of live video: `python -m … < Viewers`, and `Watched` as its last line.

It says `ready` once all have seen something, and waits for a line before it counts.
"""

import asyncio
import base64
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from benchmarks.live_path.spec import FPS, Viewers, Watched
from processing.wire.browser import BoxesHeader, VideoHeader

_decode: Final = msgspec.json.Decoder(VideoHeader | BoxesHeader).decode
_FIRST_TIMEOUT_S: Final = 30.0


class Viewer:
    """One socket that thanks for everything at once."""

    def __init__(self, spec: Viewers, path: str) -> None:
        self._spec = spec
        self._path = path
        self.is_counting = False
        self.latencies_ms: list[float] = []
        self.saw_first = asyncio.Event()

    async def watch(self) -> None:
        """Look until cancelled."""
        async with connect(
            f"ws://127.0.0.1:{self._spec.port}{self._path}",
            additional_headers={"Cookie": f"sessionid={self._spec.session_key}"},
            origin=Origin(f"http://127.0.0.1:{self._spec.port}"),
            compression=None,
            proxy=None,
            max_size=1024 * 1024,
        ) as socket:
            await self._listen(socket)

    async def _listen(self, socket: ClientConnection) -> None:
        async for data in socket:
            at = time.time()
            if isinstance(data, str):
                continue
            header = _decode(data[4 : 4 + int.from_bytes(data[:4], "little")])
            if isinstance(header, VideoHeader):
                self.saw_first.set()
                if self.is_counting:
                    self.latencies_ms.append((at - header.captured_at.timestamp()) * 1000.0)
            await socket.send("ok")


@asynccontextmanager
async def _stalled(spec: Viewers) -> AsyncIterator[None]:
    """Open sockets that are never read; whichever the hub ends is opened again."""
    tasks = [
        asyncio.create_task(_stall(spec, spec.paths[number % len(spec.paths)]))
        for number in range(spec.n_stalled)
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _stall(spec: Viewers, path: str) -> None:
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{spec.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}\r\n"
        f"Origin: http://127.0.0.1:{spec.port}\r\n"
        f"Cookie: sessionid={spec.session_key}\r\n\r\n"
    )
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", spec.port, limit=1024)
        try:
            writer.write(request.encode())
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(12.0)  # before the hub loses its patience
        finally:
            writer.transport.abort()


async def _run(spec: Viewers) -> Watched:
    viewers = [Viewer(spec, path) for path in spec.paths]
    watching = [asyncio.create_task(viewer.watch()) for viewer in viewers]
    async with _stalled(spec):
        firsts = [asyncio.create_task(viewer.saw_first.wait()) for viewer in viewers]
        await asyncio.wait(firsts, timeout=_FIRST_TIMEOUT_S)
        await asyncio.sleep(spec.warm_s)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for viewer in viewers:
            viewer.is_counting = True
        await asyncio.sleep(spec.seconds)
        latencies = sorted(each for viewer in viewers for each in viewer.latencies_ms)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    return Watched(round(len(viewers) * FPS * spec.seconds), len(latencies), latencies)


if __name__ == "__main__":
    wanted = msgspec.json.decode(sys.stdin.readline(), type=Viewers)
    print(msgspec.json.encode(asyncio.run(_run(wanted))).decode(), flush=True)
