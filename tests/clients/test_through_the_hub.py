"""A hub, a tier that it knows, and NVIDIA's client with a key: judged, and counted once."""

import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from tests.journeys.processes import PATIENCE_S, Hub, Program, wait_for
from tests.ports import free_port
from tests.processing.tiny_bundle import make_tiny_bundle

MODEL = "tiny"
N_PARALLEL = 100
MAKE_KEY = """
from django.utils import timezone
from webapp.inference.keys import KeyTerms, create_key
from webapp.accounts.models import Organization
from tests.factories import make_organization, make_user
acme = make_organization("Acme")
terms = KeyTerms(name="Camera shop", pictures_per_s=1000.0, burst=1000)
print(create_key(acme, terms, by=make_user("alice", organization=acme), at=timezone.now()).secret)
"""


@dataclass(frozen=True)
class Site:
    """What a customer has."""

    hub: Hub
    tier: Program
    tier_url: str
    secret: str

    @property
    def key(self) -> dict[str, str]:
        """Return headers; the client adds some of its own to those that it is given."""
        return {"Authorization": f"Bearer {self.secret}"}

    def n_answered(self) -> int:
        """Return how many pictures the hub has counted as answered."""
        with sqlite3.connect(self.hub.data_dir / "hub.sqlite3", timeout=30.0) as database:
            ((n,),) = database.execute(
                "select coalesce(sum(n_answered), 0) from inference_usagehour"
            )
        return int(n)

    def detect(self, url: str, png: bytes) -> httpx.Response:
        return httpx.post(
            f"{url}/api/v1/detect/",
            content=png,
            headers=self.key | {"Content-Type": "image/png"},
            timeout=PATIENCE_S,
            trust_env=False,
        )


@pytest.fixture
def site(tmp_path: Path, migrated: Path) -> Iterator[Site]:
    (tmp_path / "bundles").mkdir()
    make_tiny_bundle(tmp_path / "bundles" / MODEL)
    tier_port = free_port()
    tier_url = f"http://127.0.0.1:{tier_port}"
    hub = Hub(tmp_path)
    hub.take_tables(migrated)
    hub.serve_with("uvicorn")
    hub.web.environment = {**hub.web.environment, "FARWATCH_TIER_URL": tier_url}
    hub.start()
    tier = Program(
        "tier",
        [sys.executable, "-m", "processing.tier"],
        {
            "FARWATCH_TIER_PORT": str(tier_port),
            "FARWATCH_TIER_HUB_URL": hub.url,
            "FARWATCH_TIER_TOKEN_FILE": str(hub.data_dir / "tier_token"),
            "FARWATCH_TIER_BUNDLES": str(tmp_path / "bundles"),
            "FARWATCH_TIER_DATA_DIR": str(tmp_path / "tier"),
        },
        tmp_path / "tier.log",
    )
    tier.start()
    secret = hub.manage("shell", "-c", MAKE_KEY).splitlines()[-1]
    ready = f"{hub.url}/v2/health/ready"
    wait_for("the tier is ready", lambda: httpx.get(ready, trust_env=False).is_success)
    yield Site(hub, tier, tier_url, secret)
    if tier.is_running:
        assert tier.stop() == 0, tier.log.read_text()
    hub.stop()


def test_judged_counted_and_gone_on_with_while_the_hub_is_away(site: Site, png: bytes) -> None:
    client = triton.InferenceServerClient(site.hub.url.removeprefix("http://"), concurrency=20)
    image = triton.InferInput("image", [1], "BYTES")
    image.set_data_from_numpy(np.array([png], dtype=np.object_))
    assert client.is_server_ready()
    with pytest.raises(InferenceServerException, match="401"):
        client.infer(MODEL, [image])
    assert client.get_model_metadata(MODEL, headers=site.key)["name"] == MODEL
    asked = [client.async_infer(MODEL, [image], headers=site.key) for _ in range(N_PARALLEL)]
    assert [each.get_result().as_numpy("n_found").tolist() for each in asked] == [[1]] * N_PARALLEL
    packed = client.infer(
        MODEL,
        [image],
        headers=site.key,
        request_compression_algorithm="gzip",
        response_compression_algorithm="gzip",
    )
    assert packed.as_numpy("n_found").tolist() == [1]
    with pytest.raises(InferenceServerException, match="404"):
        client.infer("stranger", [image], headers=site.key)
    client.close()
    assert site.detect(site.hub.url, png).json()["detections"][0]["name"] == "green"
    n_judged = N_PARALLEL + 2
    wait_for("all is counted", lambda: site.n_answered() == n_judged)

    site.hub.web.kill()
    for _ in range(3):
        assert site.detect(site.tier_url, png).status_code == 200
    assert site.tier.stop() == 0  # what it did is on its disk
    site.hub.start()
    site.tier.start()
    wait_for("what was done meanwhile is counted", lambda: site.n_answered() == n_judged + 3)
