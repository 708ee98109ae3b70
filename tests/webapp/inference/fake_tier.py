"""A tier that judges nothing, on a real port: it remembers what it was asked."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
import uvicorn

from processing.wire.tier import FoundThing, Judged

JUDGED = Judged(
    model="nanodet-g",
    version="0" * 32,
    width=640,
    height=480,
    detections=(FoundThing(label=0, name="person", score=0.91, box=(0.1, 0.2, 0.4, 0.9)),),
    waited_ms=2.0,
    decode_ms=4.0,
    infer_ms=20.0,
)
AtEnd: TypeAlias = Callable[[], Awaitable[None]]
MAGIC = (b"\xff\xd8\xff", b"\x89PNG")


@dataclass
class Heard:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class FakeTier:
    """Answers pictures with `JUDGED`; other paths as they are called: echo, drip, break, hang."""

    heard: list[Heard] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    """Lets `/v2/drip` go on."""
    was_left: threading.Event = field(default_factory=threading.Event)
    """Whoever asked `/v2/hang` hung up."""
    is_hanging: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        query = scope["query_string"].decode()
        target = scope["raw_path"].decode() + (f"?{query}" if query else "")
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        heard = Heard(scope["method"], target, headers)
        self.heard.append(heard)
        match scope["path"]:
            case "/v2/early":
                await _answer(send, 413, b"{}")
            case "/v2/drip":
                await send(_start(200))
                await send({"type": "http.response.body", "body": b"first,", "more_body": True})
                await asyncio.to_thread(self.go_on.wait)
                await send({"type": "http.response.body", "body": b"second"})
            case "/v2/break":
                await send(_start(200, (b"content-length", b"1000")))
                await send({"type": "http.response.body", "body": b"begun", "more_body": True})
            case "/v2/hang":
                await _whole(receive)
                self.is_hanging.set()
                while (await receive())["type"] != "http.disconnect":
                    pass
                self.was_left.set()
            case "/api/v1/detect/":
                heard.body = await _whole(receive)
                await self._judge(heard.body, send)
            case _:
                heard.body = await _whole(receive)
                await _answer(send, 200, heard.body)

    async def _judge(self, body: bytes, send: Any) -> None:
        if body.startswith(MAGIC):
            await _answer(send, 200, msgspec.json.encode(JUDGED))
            return
        problem = {"title": "Unsupported", "status": 415, "detail": "This is no JPEG or PNG."}
        await _answer(send, 415, msgspec.json.encode(problem), b"application/problem+json")


async def _whole(receive: Any) -> bytes:
    body = bytearray()
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body", False):
            return bytes(body)


def _start(status: int, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    also = [(b"x-of-tier", b"yes"), (b"keep-alive", b"timeout=7"), (b"set-cookie", b"a=b")]
    return {"type": "http.response.start", "status": status, "headers": [*headers, *also]}


async def _answer(
    send: Any, status: int, body: bytes, content_type: bytes = b"application/json"
) -> None:
    await send(_start(status, (b"content-type", content_type)))
    await send({"type": "http.response.body", "body": body})


class _Server(uvicorn.Server):
    """Says when it listens, and ends what was begun in its loop."""

    def __init__(self, application: Any, port: int, at_end: AtEnd) -> None:
        super().__init__(
            uvicorn.Config(application, port=port, log_level="critical", lifespan="off")
        )
        self.listens = threading.Event()
        self._at_end = at_end

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets=sockets)
        self.listens.set()

    async def shutdown(self, sockets: Any = None) -> None:
        await super().shutdown(sockets=sockets)
        await self._at_end()


async def _nothing() -> None:
    pass


@contextmanager
def served(application: Any, *, port: int = 0, at_end: AtEnd = _nothing) -> Iterator[str]:
    """Serve an application at a port, in a thread; yield its address."""
    server = _Server(application, port, at_end)
    thread = threading.Thread(target=server.run, name="served")
    thread.start()
    assert server.listens.wait(60)
    host, at = server.servers[0].sockets[0].getsockname()
    try:
        yield f"http://{host}:{at}"
    finally:
        server.should_exit = True
        thread.join()
