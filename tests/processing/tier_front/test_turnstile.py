"""What has no chance is refused by its head, at once; all else comes in, and is judged there."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest

from processing.tier.contract import Inquiry, Overloaded, Serving
from processing.tier.fake import FakeTier
from processing.tier.front import http_server
from processing.tier.front.door import Door
from processing.tier.front.turnstile import Turnstile
from processing.tier.hub.credentials import Everybody
from processing.tier.hub.metering import Uses
from processing.tier.program.app import Program
from processing.tier.program.config import load_config

PICTURE = b"\xff\xd8 as good as any: nobody opens it"


class HopelessTier(FakeTier):
    """A tier that foresees that short budgets come to nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.foreseen: list[Inquiry] = []

    async def serve(self, wanted: Sequence[Serving]) -> None:
        """Go on with what it serves, whatever the folder holds."""

    def foresee(self, inquiry: Inquiry) -> Overloaded | None:
        self.foreseen.append(inquiry)
        if inquiry.budget_ms >= 1000.0:
            return None
        return Overloaded("there is no chance", retry_after_s=2.5)


@dataclass
class Stile:
    """A turnstile before such a tier, and what it counted."""

    tier: HopelessTier = field(default_factory=HopelessTier)
    uses: Uses = field(default_factory=Uses)
    counted: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.door = Door(self.tier, Everybody(), self.uses)
        self.stile = Turnstile(self.door, on_refused=lambda *each: self.counted.append(each))

    def refuse(self, url: str) -> bytes | None:
        return self.stile.refuse(url.encode(), [(b"host", b"here")])


def test_the_hopeless_are_told_when_to_come_again() -> None:
    stile = Stile()
    answer = stile.refuse("/api/v1/detect/?model=fake&budget_ms=500&urgency=batch&sticky=a%20b")
    assert answer is not None
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"retry-after: 3" in head.lower()
    assert b"content-length: %d" % len(body) in head.lower()
    assert json.loads(body)["detail"] == "there is no chance"
    assert stile.counted == [("detect", 503)]
    assert stile.door.outcomes == {"refused": 1}
    (inquiry,) = stile.tier.foreseen
    assert (inquiry.model, inquiry.sticky, inquiry.urgency) == ("fake", "a b", "batch")
    assert inquiry.tenant == str(UUID(int=0))


@pytest.mark.parametrize(
    "url",
    [
        "/api/v1/detect/?budget_ms=5000",
        "/api/v1/detect",
        "/api/v1/detect/?budget_ms=nonsense",
        "/api/v1/detect/?budget_ms=nan",
        "/api/v1/detect/?budget_ms=-1",
        "/api/v1/detect/?budget_ms=1&budget_ms=2",
        "/api/v1/detect/?budget_ms=1&unheard=of",
        "/api/v1/detect/?budget_ms=1&%ff=&&&",
        "/v2/models/fake/infer?budget_ms=1",
        "/api/v1/detect/?budget_ms=1&sticky=" + "x" * 2000,
    ],
)
def test_all_others_come_in(url: str) -> None:
    stile = Stile()
    assert stile.refuse(url) is None
    assert not stile.counted


async def ask(port: int, *heads: bytes, body: bytes = PICTURE) -> list[tuple[int, dict[str, str]]]:
    """Send requests one after another over one connection; return (status, headers) of each."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for head in heads:
        writer.write(head + b"Host: here\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:5])
        await writer.drain()
        writer.write(body[5:])
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        await reader.readexactly(int(headers["content-length"]))
        answers.append((int(status.split()[1]), headers))
    writer.close()
    await writer.wait_closed()
    return answers


async def test_a_connection_goes_on_after_a_refusal(tmp_path: Path) -> None:
    config = load_config(is_open=True, port=0, bundles=tmp_path, data_dir=tmp_path)
    program = Program(config, "", HopelessTier())
    short = b"POST /api/v1/detect/?budget_ms=10 HTTP/1.1\r\nContent-Type: image/jpeg\r\n"
    long = b"POST /api/v1/detect/?budget_ms=5000 HTTP/1.1\r\nContent-Type: image/jpeg\r\n"
    unknown = b"POST /api/v1/detect/?budget_ms=5000&model=none HTTP/1.1\r\n"
    async with program.running() as url:
        port = int(url.rpartition(":")[2])
        answers = await ask(port, short, long, short, short, unknown, long)
    assert [status for status, _ in answers] == [503, 200, 503, 503, 404, 200]
    assert answers[0][1]["retry-after"] == "3"
    assert all(len(headers["x-request-id"]) == 32 for _, headers in answers)


async def test_a_body_that_is_passed_over_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "BODY_TIMEOUT_S", 0.05)
    config = load_config(is_open=True, port=0, bundles=tmp_path, data_dir=tmp_path)
    async with Program(config, "", HopelessTier()).running() as url, asyncio.timeout(30.0):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        head = b"POST /api/v1/detect/?budget_ms=10 HTTP/1.1\r\nHost: here\r\n"
        writer.write(head + b"Content-Length: 1000\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        writer.close()
        await writer.wait_closed()
