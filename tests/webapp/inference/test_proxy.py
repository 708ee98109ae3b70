"""Pictures go through the hub's own address to the tier: as they come, bounded, and no further."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from pytest_django.fixtures import Settings

from processing.wire.tier import MAX_PICTURE_BYTES
from tests.factories import JPEG
from tests.ports import free_port
from tests.webapp.inference.fake_tier import JUDGED, FakeTier, served
from webapp.common.request_limits import limit_requests
from webapp.inference.proxy import TierProxy

PATIENCE_S = 60.0
MUCH_LESS_THAN_THE_TIER_MAY_TAKE_S = 30.0
KEY = {"Authorization": "Bearer fw_key"}


async def not_for_tiers(scope: object, receive: object, send: object) -> None:
    """The application behind: no test comes here unless it says so."""
    assert callable(send)
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"Django"})


@pytest.fixture
def tier(settings: Settings) -> Iterator[FakeTier]:
    fake = FakeTier()
    with served(fake) as url:
        settings.TIER_URL = url
        yield fake


@pytest.fixture
def hub() -> Iterator[httpx.Client]:
    """The proxy, as the hub puts it, at a port."""
    proxy = TierProxy(not_for_tiers)
    with (
        served(limit_requests(proxy), at_end=proxy.aclose) as url,
        httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False) as client,
    ):
        yield client


def test_a_picture_goes_to_the_tier_and_its_answer_comes_back(
    hub: httpx.Client, tier: FakeTier
) -> None:
    answer = hub.post("/api/v1/detect/?budget_ms=500", content=JPEG, headers=KEY)
    assert answer.status_code == 200
    assert answer.json()["detections"][0]["name"] == JUDGED.detections[0].name
    (heard,) = tier.heard
    assert (heard.method, heard.target) == ("POST", "/api/v1/detect/?budget_ms=500")
    assert heard.body == JPEG
    assert heard.headers["authorization"] == "Bearer fw_key"


def test_what_is_not_for_tiers_stays_here(hub: httpx.Client, tier: FakeTier) -> None:
    for path in ("/", "/v20", "/api/v1/cameras/", "/api/v2/"):
        assert hub.get(path).status_code == 299
    assert tier.heard == []


@pytest.mark.parametrize("path", ["/v2", "/v2/health/ready", "/v2/models/a%2Fb?x=%20y"])
def test_the_whole_protocol_goes_through(hub: httpx.Client, tier: FakeTier, path: str) -> None:
    assert hub.get(path).status_code == 200
    assert tier.heard[0].target == path


def test_headers_that_are_for_others_are_not_passed_on(
    hub: httpx.Client, tier: FakeTier, settings: Settings
) -> None:
    headers = KEY | {
        "Cookie": "sessionid=secret",
        "Connection": "x-mine",
        "X-Mine": "1",
        "X-Yours": "2",
        "TE": "trailers",
    }
    answer = hub.post("/v2/models/m/infer", content=b"{}", headers=headers)
    heard = tier.heard[0].headers
    assert not {"cookie", "x-mine", "te"} & set(heard)
    assert heard["x-yours"] == "2"
    assert f"http://{heard['host']}" == settings.TIER_URL
    assert "keep-alive" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-of-tier"] == "yes"


@pytest.mark.parametrize(("given", "is_kept"), [("abc-1", True), ("a b", False), ("", False)])
def test_a_request_keeps_its_id(
    hub: httpx.Client, tier: FakeTier, given: str, *, is_kept: bool
) -> None:
    answer = hub.get("/v2", headers={"X-Request-ID": given} if given else {})
    passed_on = tier.heard[0].headers["x-request-id"]
    assert answer.headers["x-request-id"] == passed_on
    assert (passed_on == given) is is_kept
    assert passed_on


def test_large_bodies_come_whole_and_go_back_whole(hub: httpx.Client, tier: FakeTier) -> None:
    body = bytes(range(256)) * 16 * 1024
    answer = hub.post("/v2/echo", content=body, headers=KEY)
    assert answer.content == body
    assert tier.heard[0].headers["content-length"] == str(len(body))


def test_a_body_of_unknown_length_is_passed_on(hub: httpx.Client, tier: FakeTier) -> None:
    pieces = (b"a" * 70_000 for _ in range(3))
    assert hub.post("/v2/echo", content=pieces, headers=KEY).content == b"a" * 210_000
    assert tier.heard[0].headers["transfer-encoding"] == "chunked"


def test_an_answer_comes_piece_by_piece(hub: httpx.Client, tier: FakeTier) -> None:
    with hub.stream("GET", "/v2/drip") as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"first,"
        tier.go_on.set()
        assert b"".join(pieces) == b"second"


@pytest.mark.parametrize(
    ("path", "most"), [("/api/v1/detect/", MAX_PICTURE_BYTES), ("/v2/models/m/infer", 32 * 2**20)]
)
def test_more_than_a_path_takes_is_413(
    hub: httpx.Client, tier: FakeTier, path: str, most: int
) -> None:
    answer = hub.post(path, content=b"\xff\xd8\xff" + bytes(most), headers=KEY)
    assert answer.status_code == 413
    assert tier.heard == []
    endless = (bytes(2**20) for _ in range(most // 2**20 + 1))
    assert hub.post(path, content=endless, headers=KEY).status_code == 413


def test_the_most_that_a_picture_may_have_is_passed_on(hub: httpx.Client, tier: FakeTier) -> None:
    picture = JPEG + bytes(MAX_PICTURE_BYTES - len(JPEG))
    assert hub.post("/api/v1/detect/", content=picture, headers=KEY).status_code == 200
    assert len(tier.heard[0].body) == MAX_PICTURE_BYTES


def test_what_the_tier_says_is_wrong_is_passed_back(hub: httpx.Client, tier: FakeTier) -> None:
    answer = hub.post("/api/v1/detect/", content=b"no picture", headers=KEY)
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "This is no JPEG or PNG."


def test_a_tier_that_answers_before_it_has_read_all_is_heard(
    hub: httpx.Client, tier: FakeTier
) -> None:
    assert hub.post("/v2/early", content=bytes(2**20), headers=KEY).status_code == 413


def test_without_a_bearer_nothing_is_sent_on(hub: httpx.Client, tier: FakeTier) -> None:
    answer = hub.post("/api/v1/detect/", content=JPEG)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "fw_" in answer.json()["detail"]
    assert "error" in hub.post("/v2/models/m/infer", content=b"{}").json()
    assert tier.heard == []


@pytest.mark.parametrize("path", ["/v2/%2e%2e/metrics", "/api/v1/detect/..%2f..%2fmetrics"])
def test_nobody_climbs_out_of_the_protocol(hub: httpx.Client, tier: FakeTier, path: str) -> None:
    assert hub.get(path).status_code == 404
    assert tier.heard == []


def test_other_methods_are_refused(hub: httpx.Client, tier: FakeTier) -> None:
    assert hub.delete("/v2/models/m").status_code == 405
    assert tier.heard == []


def test_without_a_tier_it_says_so(hub: httpx.Client, settings: Settings) -> None:
    settings.TIER_URL = ""
    answer = hub.post("/api/v1/detect/", content=JPEG, headers=KEY)
    assert answer.status_code == 503
    assert answer.json()["detail"] == "No inference tier is configured on this hub."
    assert "No inference tier" in hub.get("/v2").json()["error"]
    big = hub.post("/api/v1/detect/", content=bytes(2 * 2**20), headers=KEY)
    assert big.status_code == 413  # and nobody may send much to nowhere


def test_a_tier_that_is_away_is_503_and_back_at_once(hub: httpx.Client, settings: Settings) -> None:
    port = free_port()
    settings.TIER_URL = f"http://127.0.0.1:{port}"
    away = hub.post("/api/v1/detect/", content=JPEG, headers=KEY)
    assert (away.status_code, away.headers["retry-after"]) == (503, "1")
    assert away.headers["content-type"] == "application/problem+json"
    with served(FakeTier(), port=port):
        assert hub.post("/api/v1/detect/", content=JPEG, headers=KEY).status_code == 200
    assert hub.post("/api/v1/detect/", content=JPEG, headers=KEY).status_code == 503


def test_an_answer_that_breaks_off_is_not_passed_for_a_whole_one(
    hub: httpx.Client, tier: FakeTier
) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        hub.get("/v2/break")


def test_whoever_hangs_up_is_not_waited_for(hub: httpx.Client, tier: FakeTier) -> None:
    with pytest.raises(httpx.ReadTimeout):
        hub.post("/v2/hang", content=b"{}", headers=KEY, timeout=httpx.Timeout(60, read=0.3))
    assert tier.is_hanging.wait(PATIENCE_S)
    assert tier.was_left.wait(PATIENCE_S)


def test_whoever_hangs_up_without_a_body_is_not_waited_for_either(
    hub: httpx.Client, tier: FakeTier
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        hub.get("/v2/hang", timeout=httpx.Timeout(60, read=0.3))
    assert tier.was_left.wait(MUCH_LESS_THAN_THE_TIER_MAY_TAKE_S)


async def test_an_address_that_is_none_is_400(tier: FakeTier) -> None:
    """Servers differ in what they let through."""
    scope = {
        "type": "http", "method": "GET", "path": "/v2/\x7f", "raw_path": b"/v2/\x7f",
        "query_string": b"", "headers": [],
    }  # fmt: skip
    said: list[dict[str, object]] = []

    async def receive() -> None:
        await asyncio.Event().wait()

    async def send(event: dict[str, object]) -> None:
        said.append(event)

    proxy = TierProxy(not_for_tiers)
    await proxy(scope, receive, send)  # type: ignore[arg-type]  # as much of them as it looks at
    assert said[0]["status"] == 400
    assert tier.heard == []
