"""Clips reach the hub that wants them: each once, retried while wanted, or a word why not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from edge_agent.clips import courier as courier_module
from edge_agent.clips.courier import ClipCourier
from edge_agent.clips.shelf import ClipShelf
from processing.wire.messages import ClipDemand, ClipMissing, ClipWanted

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class TinyHub:
    """Takes PUTs on a real socket and answers as it is told, then with 201."""

    answers: list[int] = field(default_factory=list)
    """0: hang up in the middle of the body."""
    requests: list[Request] = field(default_factory=list)
    n_open: int = 0
    most_open: int = 0
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.n_open += 1
        self.most_open = max(self.most_open, self.n_open)
        try:
            await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self.n_open -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value
            for name, _, value in (line.partition(": ") for line in head[1:] if line)
        }
        status = self.answers.pop(0) if self.answers else 201
        if not status:
            await reader.readexactly(10)
            self.requests.append(Request(head[0].split()[1], headers, b""))
            return
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append(Request(head[0].split()[1], headers, body))
        assert head[0].startswith("PUT ")
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()


@dataclass
class Scene:
    """A hub, a shelf and a courier between them."""

    hub: TinyHub
    shelf: ClipShelf
    courier: ClipCourier
    missing: list[ClipMissing]

    def keep(self, content: bytes = b"a clip") -> UUID:
        clip_id = uuid4()
        part = self.shelf.part(clip_id)
        part.write_bytes(content)
        self.shelf.add(part, clip_id=clip_id, camera_id=uuid4(), begins_at=NOON, seconds=1)
        return clip_id

    def want(self, *clips: tuple[UUID, str]) -> None:
        wanted = tuple(ClipWanted(clip_id=clip_id, upload_path=path) for clip_id, path in clips)
        self.courier.demand(ClipDemand(wanted=wanted))

    async def until_asked(self, n: int) -> None:
        await until(lambda: len(self.hub.requests) >= n and not self.hub.n_open)

    async def until_missed(self) -> ClipMissing:
        await until(lambda: bool(self.missing))
        return self.missing[0]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - polls whatever the test looks at
            await asyncio.sleep(0.01)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon."""
    monkeypatch.setattr(courier_module, "_BACKOFF_BASE_S", 0.01)


@asynccontextmanager
async def scene_in(folder: Path, *answers: int) -> AsyncIterator[Scene]:
    hub, missing = TinyHub(list(answers)), list[ClipMissing]()
    server = await asyncio.start_server(hub.serve, "127.0.0.1", 0)
    hub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    shelf = ClipShelf(folder, max_mb=100, max_days=9, free=lambda _: 10**12)
    courier = ClipCourier(shelf, hub_url=hub.url, send=missing.append, dice=lambda: 0.5)
    task = asyncio.create_task(courier.run())
    try:
        yield Scene(hub, shelf, courier, missing)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.close()
        await server.wait_closed()


async def test_it_works(tmp_path: Path) -> None:
    async with scene_in(tmp_path) as scene:
        content = bytes(range(256)) * 5000
        scene.want((scene.keep(content), "/api/v1/clips/secret"))
        await until(lambda: scene.courier.n_sent == 1)
    (request,) = scene.hub.requests
    assert request.path == "/api/v1/clips/secret"
    assert request.body == content
    assert request.headers["content-type"] == "video/mp4"
    assert request.headers["content-length"] == str(len(content))
    assert "transfer-encoding" not in request.headers
    assert scene.missing == []


async def test_a_demand_that_is_repeated_is_answered_once(tmp_path: Path) -> None:
    async with scene_in(tmp_path) as scene:
        first, second = scene.keep(b"1"), scene.keep(b"2")
        scene.want((first, "/a"))
        await scene.until_asked(1)
        scene.want((first, "/a"), (second, "/b"))
        await scene.until_asked(2)
        scene.want((first, "/a"), (second, "/b"))
        await asyncio.sleep(0.1)
        assert [request.path for request in scene.hub.requests] == ["/a", "/b"]
        scene.want((first, "/anew"))
        await scene.until_asked(3)
    assert [request.body for request in scene.hub.requests] == [b"1", b"2", b"1"]


async def test_one_at_a_time(tmp_path: Path) -> None:
    async with scene_in(tmp_path) as scene:
        scene.want(*((scene.keep(bytes(10**6)), f"/{n}") for n in range(5)))
        await scene.until_asked(5)
    assert scene.hub.most_open == 1


@pytest.mark.usefixtures("quick")
async def test_what_fails_is_tried_again_and_another_one_meanwhile(tmp_path: Path) -> None:
    async with scene_in(tmp_path, 0, 503, 429) as scene:
        first, second = scene.keep(b"1" * 100), scene.keep(b"2" * 100)
        scene.want((first, "/a"), (second, "/b"))
        await until(lambda: scene.courier.n_sent == 2)
    assert [request.path for request in scene.hub.requests] == ["/a", "/b", "/a", "/b", "/a"]
    assert scene.missing == []


async def test_a_hub_that_is_away_is_asked_again_only_while_it_wants_the_clip(
    tmp_path: Path, quick: None
) -> None:
    async with scene_in(tmp_path, *[500] * 50) as scene:
        scene.want((scene.keep(), "/a"))
        await scene.until_asked(3)
        scene.want()
        n_asked = len(scene.hub.requests)
        await asyncio.sleep(0.3)
        assert len(scene.hub.requests) <= n_asked + 1


@pytest.mark.parametrize("status", [400, 403, 404, 410])
async def test_a_refusal_is_final(tmp_path: Path, status: int, quick: None) -> None:
    async with scene_in(tmp_path, status) as scene:
        scene.want((scene.keep(), "/a"), (scene.keep(b"next"), "/b"))
        await scene.until_asked(2)
        await asyncio.sleep(0.1)
    assert [request.path for request in scene.hub.requests] == ["/a", "/b"]
    assert scene.missing == []


async def test_a_hub_that_has_it_already_is_content(tmp_path: Path) -> None:
    async with scene_in(tmp_path, 409) as scene:
        scene.want((scene.keep(), "/a"))
        await scene.until_asked(1)
        await asyncio.sleep(0.1)
    assert len(scene.hub.requests) == 1


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    async with scene_in(tmp_path, 307) as scene:
        scene.want((scene.keep(), "/a"))
        await scene.until_asked(1)
        await asyncio.sleep(0.1)
    assert len(scene.hub.requests) == 1
    assert scene.courier.n_sent == 0


async def test_a_clip_that_is_gone_is_missed_in_words_once(tmp_path: Path) -> None:
    async with scene_in(tmp_path) as scene:
        gone = uuid4()
        scene.want((gone, "/a"))
        assert await scene.until_missed() == ClipMissing(
            clip_id=gone, reason="the agent no longer has this clip"
        )
        scene.want((gone, "/a"))
        await asyncio.sleep(0.1)
        assert len(scene.missing) == 1
        assert scene.hub.requests == []


async def test_a_file_that_went_while_it_waited_is_missed(tmp_path: Path) -> None:
    async with scene_in(tmp_path) as scene:
        clip_id = scene.keep()
        file = scene.shelf.find(clip_id)
        assert file is not None
        file.unlink()
        scene.want((clip_id, "/a"))
        assert "deleted" in (await scene.until_missed()).reason


async def test_what_the_hub_finds_too_large_is_missed(tmp_path: Path) -> None:
    async with scene_in(tmp_path, 413) as scene:
        scene.want((scene.keep(), "/a"))
        assert "too large" in (await scene.until_missed()).reason


async def test_a_clip_goes_to_no_other_address_than_the_hubs(tmp_path: Path) -> None:
    async with scene_in(tmp_path) as scene:
        for path in ("@127.0.0.1:1/a", "http://127.0.0.1:1/a", ""):
            scene.want((scene.keep(), path))
            await asyncio.sleep(0.02)
        scene.want((scene.keep(b"last"), "/a"))
        await scene.until_asked(1)
    assert [request.body for request in scene.hub.requests] == [b"last"]
