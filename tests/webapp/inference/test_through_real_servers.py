"""The hub's two web servers pass pictures on to a tier that asks them who may."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from processing.wire.tier import MAX_PICTURE_BYTES
from tests.factories import JPEG
from tests.journeys.processes import PATIENCE_S, Hub
from tests.webapp.inference.fake_tier import FakeTier, served
from webapp.common.request_limits import MAX_BODY_BYTES
from webapp.inference.proxy import MAX_SPOOLED

KEY = {"Authorization": "Bearer fw_key"}


@pytest.fixture
def tier() -> Iterator[FakeTier]:
    fake = FakeTier()
    with served(fake) as fake.url:
        yield fake


@pytest.fixture(params=["daphne", "uvicorn"])
def hub(
    request: pytest.FixtureRequest, tmp_path: Path, migrated: Path, tier: FakeTier
) -> Iterator[Hub]:
    hub = Hub(tmp_path)
    hub.take_tables(migrated)
    hub.serve_with(request.param)
    hub.web.environment = {**hub.web.environment, "FARWATCH_TIER_URL": tier.url}
    hub.start()
    yield hub
    hub.stop()


def test_it_works(hub: Hub, tier: FakeTier) -> None:
    with httpx.Client(base_url=hub.url, timeout=PATIENCE_S, trust_env=False) as client:
        picture = JPEG + bytes(MAX_PICTURE_BYTES - len(JPEG))
        answer = client.post("/api/v1/detect/", content=picture, headers=KEY)
        assert answer.status_code == 200
        assert answer.json()["detections"][0]["name"] == "person"
        assert len(tier.heard[0].body) == MAX_PICTURE_BYTES
        too_large = client.post("/api/v1/detect/", content=picture + b"a", headers=KEY)
        assert too_large.status_code == 413
        with client.stream("GET", "/v2/drip") as dripping:
            pieces = dripping.iter_raw()
            assert next(pieces) == b"first,"
            tier.go_on.set()
            assert b"".join(pieces) == b"second"
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):  # as each hangs up
            client.get("/v2/break")
        with pytest.raises(httpx.ReadTimeout):
            client.get("/v2/hang", timeout=httpx.Timeout(PATIENCE_S, read=0.3))
        assert tier.was_left.wait(PATIENCE_S)
        token = (hub.data_dir / "tier_token").read_text()
        grants = f"{hub.url}/api/v1/tier/grants/"
        as_tier = {"Authorization": f"Bearer {token}"}
        assert client.post(grants, json={"bearer": "fw_x"}, headers=as_tier).status_code == 404
        assert client.post(grants, json={"bearer": "fw_x"}).status_code == 401


def begin(hub: Hub, n_bytes: int) -> tuple[socket.socket, bytes]:
    """Begin to send so much; return the connection and the first word of the answer."""
    at = httpx.URL(hub.url)
    connection = socket.create_connection((at.host, at.port or 80), PATIENCE_S)
    words = (
        "POST /v2/models/any/infer HTTP/1.1", f"Host: {at.host}", "Authorization: Bearer nobody",
        "Expect: 100-continue", f"Content-Length: {n_bytes}",
    )  # fmt: skip
    connection.sendall("\r\n".join((*words, "", "")).encode())
    return connection, connection.recv(12)


@pytest.mark.parametrize("hub", ["daphne"], indirect=True)
def test_strangers_fill_no_disk_with_what_the_tier_has_not_admitted(hub: Hub) -> None:
    begun = [begin(hub, 2 * MAX_BODY_BYTES) for _ in range(MAX_SPOOLED + 1)]
    begun.append(begin(hub, MAX_BODY_BYTES))
    words = [word for _, word in begun]
    assert words == [b"HTTP/1.1 100"] * MAX_SPOOLED + [b"HTTP/1.1 429", b"HTTP/1.1 100"]
    for connection, _ in begun:
        connection.close()
