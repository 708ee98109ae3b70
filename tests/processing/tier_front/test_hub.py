"""What the hub answers, and what is no answer of a hub's."""

import httpx
import msgspec
import pytest

from processing.tier.hub.asking import MAX_ANSWER_BYTES, HubAway, HubClient
from processing.wire.tier import GrantAsked, TierWanted
from tests.processing.tier_front.fronts import make_grant


def client(handler: object) -> HubClient:
    transport = httpx.MockTransport(handler)  # type: ignore[arg-type]
    return HubClient("http://hub", "tier-secret", transport=transport)


async def test_it_asks_with_its_own_token_and_the_bearer_in_the_body() -> None:
    grant = make_grant()

    def hub(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/v1/tier/grants/"
        assert request.headers["authorization"] == "Bearer tier-secret"
        asked = msgspec.json.decode(request.content, type=GrantAsked)
        if asked.bearer != "fw_known":
            return httpx.Response(404)
        return httpx.Response(200, content=msgspec.json.encode(grant))

    hub_client = client(hub)
    assert await hub_client.ask("fw_known") == grant
    assert await hub_client.ask("fw_other") is None
    await hub_client.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(403),
        httpx.Response(302, headers={"Location": "http://elsewhere/"}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, content=b'{"grant_id": 1}'),
        httpx.Response(200, content=b"x" * (MAX_ANSWER_BYTES + 1)),
    ],
)
async def test_anything_else_is_a_hub_that_is_away(answer: httpx.Response) -> None:
    hub_client = client(lambda _request: answer)
    with pytest.raises(HubAway):
        await hub_client.ask("fw_known")
    await hub_client.aclose()


async def test_reports_are_answered_by_what_is_wanted() -> None:
    hub_client = client(lambda _request: httpx.Response(200, content=b'{"models": []}'))
    assert await hub_client.report(b"{}") == TierWanted()
    await hub_client.aclose()
    old = client(lambda _request: httpx.Response(404))
    with pytest.raises(HubAway, match="older"):
        await old.report(b"{}")
    await old.aclose()
