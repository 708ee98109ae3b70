"""A body that is too large or too slow never reaches an application."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest

from processing.wire.identity import Problem
from webapp.common import request_limits
from webapp.common.request_limits import (
    MAX_BODY_BYTES,
    Larger,
    TooMany,
    limit_requests,
    spooling,
    taking,
)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with how many bytes came."""
    n_bytes, is_whole = 0, False
    while not is_whole:
        event = await receive()
        n_bytes += len(event["body"])
        is_whole = not event.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(n_bytes).encode()})


async def ask(
    chunks: Iterable[bytes],
    *,
    headers: Sequence[tuple[bytes, bytes]] = (),
    is_endless: bool = False,
) -> tuple[int, bytes]:
    """Return status and body of the answer to a request whose body comes in `chunks`."""
    events: list[dict[str, Any]] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    if not is_endless:
        events.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not events:
            await asyncio.Event().wait()
        return events.pop(0)

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    scope = {"type": "http", "path": "/anything/", "headers": list(headers)}
    await limit_requests(echo)(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


async def test_it_works() -> None:
    assert await ask([b"a" * 10, b"b" * 5]) == (200, b"15")


async def test_a_body_of_the_limit_is_taken() -> None:
    assert await ask([b"a" * MAX_BODY_BYTES]) == (200, str(MAX_BODY_BYTES).encode())


async def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    headers = [(b"content-length", str(MAX_BODY_BYTES + 1).encode())]
    status, body = await ask([], headers=headers, is_endless=True)
    assert status == 413
    assert f"{MAX_BODY_BYTES} bytes" in msgspec.json.decode(body, type=Problem).detail


@pytest.mark.parametrize("said", [b"", b"-1", b"12x", b"0"])
async def test_a_body_that_lies_about_its_size_is_counted(said: bytes) -> None:
    chunks = [b"a" * 65536] * (MAX_BODY_BYTES // 65536 + 1)
    status, _ = await ask(chunks, headers=[(b"content-length", said)], is_endless=True)
    assert status == 413


async def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_limits, "BODY_TIMEOUT_S", 0.05)
    status, body = await ask([b"a"], is_endless=True)
    assert status == 408
    assert msgspec.json.decode(body, type=Problem).status == 408


async def test_a_path_of_its_own_takes_so_many_bodies_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    route = Larger("/mine/", MAX_BODY_BYTES, 1.0, admits=lambda _: True, n_at_once=1)
    monkeypatch.setitem(request_limits._LARGER, route.prefix, route)
    for _ in range(2):
        with (
            taking("/mine/a"),
            taking("/mine/b"),
            taking("/other/"),
            taking("/other/"),
            pytest.raises(TooMany),
            taking("/mine/a"),
        ):
            pass
    assert not request_limits._under_way


async def test_large_bodies_of_all_paths_of_a_route_are_counted_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    route = Larger("/any/", 4 * MAX_BODY_BYTES, 1.0, admits=lambda _: True, n_spooled=2)
    monkeypatch.setitem(request_limits._LARGER, route.prefix, route)
    with spooling("/any/a", MAX_BODY_BYTES + 1), spooling("/any/b", None):
        for length in (MAX_BODY_BYTES + 1, None):
            with pytest.raises(TooMany), spooling("/any/c", length):
                pass
        with spooling("/any/c", MAX_BODY_BYTES), spooling("/other/", None):
            pass
    with spooling("/any/c", None):
        pass
    assert not request_limits._under_way
