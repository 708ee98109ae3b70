"""A replica opens, judges and drains as the server around it says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import cv2
import httpx
import pytest
from starlette.types import Message

from processing.tier.program.replica import Folder, Replica
from tests.processing.tiny_bundle import make_tiny_bundle, picture


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of an open tier with one bundle; return the folder of its data."""
    (tmp_path / "bundles").mkdir()
    make_tiny_bundle(tmp_path / "bundles" / "tiny")
    monkeypatch.setenv("FARWATCH_TIER_OPEN", "true")
    monkeypatch.setenv("FARWATCH_TIER_BUNDLES", str(tmp_path / "bundles"))
    monkeypatch.setenv("FARWATCH_TIER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@asynccontextmanager
async def living(replica: Replica) -> AsyncIterator[Message]:
    """Be the server: yield what the replica says of its beginning, and end it."""
    to_it: asyncio.Queue[Message] = asyncio.Queue()
    from_it: asyncio.Queue[Message] = asyncio.Queue()
    life = asyncio.create_task(replica({"type": "lifespan"}, to_it.get, from_it.put))
    to_it.put_nowait({"type": "lifespan.startup"})
    yield await from_it.get()
    to_it.put_nowait({"type": "lifespan.shutdown"})
    await life


async def ask(replica: Replica) -> httpx.Response:
    jpeg = cv2.imencode(".jpg", picture(("green", 3, 3)))[1].tobytes()
    transport = httpx.ASGITransport(app=replica)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        headers = {"Content-Type": "image/jpeg"}
        return await client.post("/api/v1/detect/", content=jpeg, headers=headers)


async def test_it_judges_from_its_first_request_on(folder: Path) -> None:
    replica = Replica()
    async with living(replica) as said:
        assert said == {"type": "lifespan.startup.complete"}
        answer = await ask(replica)
        assert [found["name"] for found in answer.json()["detections"]] == ["green"]
    assert (await ask(replica)).status_code == 503


async def test_it_says_why_it_cannot_begin(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARWATCH_TIER_DEVICE", "cuda")
    async with living(Replica()) as said:
        assert said["type"] == "lifespan.startup.failed"
        assert "cuda does not run here" in said["message"]


def test_each_on_a_machine_has_a_folder_and_finds_it_again(tmp_path: Path) -> None:
    first, second = Folder(tmp_path), Folder(tmp_path)
    assert first.path != second.path
    path = first.path
    first.close()
    again = Folder(tmp_path)
    assert again.path == path
    again.close()
    second.close()
