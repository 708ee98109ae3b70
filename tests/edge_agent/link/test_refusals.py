"""What the hub will not have: told in plain words, and never in the way of the rest."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent import link as link_module
from edge_agent import session as session_module
from edge_agent.link import in_words, websocket_url
from processing.wire.messages import Refused
from tests.edge_agent.entries import event, result
from tests.edge_agent.fake_hub import Batch
from tests.edge_agent.link.conftest import Rig


async def until_problem(rig: Rig, words: str) -> None:
    async with asyncio.timeout(20):
        while not any(words in text for text in rig.health.problems):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_signature_of_another_key_is_final(rig: Rig) -> None:
    rig.hub.public_key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    async with rig.hub.run() as hub, rig.linked():
        await until_problem(rig, "does not accept this agent's key")
        await asyncio.sleep(1.0)
        assert len(hub.hellos) == 1  # it does not try again at once


async def test_another_hub_at_the_address_gets_no_signature(rig: Rig) -> None:
    rig.hub.challenge_hub_id = rig.identity.membership.agent_id
    async with rig.hub.run() as hub, rig.linked():
        await until_problem(rig, "another hub")
    assert hub.hellos == []


async def test_an_entry_that_the_hub_cannot_read_becomes_a_gap(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "_SEARCH_S", 0.05)
    monkeypatch.setattr(session_module, "_LISTEN_FIRST_S", 0.05)
    hub, poison = rig.hub, result(700)

    def refuse_poison(batch: Batch) -> Refused | None:
        if poison in batch.entries:
            return Refused(code="malformed", detail="entries[..]: bad")
        return None

    hub.react = refuse_poison
    for n in range(1000):
        rig.outbox.append(result(n))
    rig.outbox.append(event())
    async with hub.run(), rig.linked():
        await hub.until(lambda: hub.counts()["results"] == 999, timeout_s=60)
        rig.outbox.append(result(1000))
        await hub.until(lambda: hub.counts()["results"] == 1000)
    assert [(gap.first_seq, gap.last_seq, gap.reason) for gap in hub.gaps] == [
        (701, 701, "refused")
    ]
    assert hub.counts()["alerts"] == 1
    assert any("dead letter" in text for text in rig.health.problems)


async def test_a_clock_that_is_off_is_told(rig: Rig) -> None:
    def refuse(_batch: Batch) -> Refused:
        return Refused(code="clock_off", detail="300 s ahead of the hub's")

    rig.hub.react = refuse
    rig.outbox.append(result(1))
    async with rig.hub.run(), rig.linked():
        await until_problem(rig, "300 s ahead")


async def test_nothing_at_the_address_is_told_and_tried_again(rig: Rig) -> None:
    async with rig.hub.run() as hub:
        port = hub.port
    async with rig.linked():
        await until_problem(rig, "nothing answers")
        async with hub.run(port):
            await hub.until(lambda: hub.reports)
    assert rig.health.problems == ()


async def test_a_web_server_that_is_no_hub_is_told(rig: Rig) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        rig.hub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with rig.linked():
            await until_problem(rig, "HTTP 404")


def test_the_websocket_is_as_safe_as_the_address() -> None:
    assert websocket_url("https://hub.example.org") == "wss://hub.example.org/agent/ws"
    assert websocket_url("http://127.0.0.1:8000/") == "ws://127.0.0.1:8000/agent/ws"
    assert websocket_url("https://example.org/farm") == "wss://example.org/farm/agent/ws"


def test_reasons_are_words() -> None:
    assert in_words(ConnectionRefusedError(), "ws://x/") == "nothing answers at ws://x/"
    assert "cannot be reached" in in_words(OSError("no route to host"), "ws://x/")
