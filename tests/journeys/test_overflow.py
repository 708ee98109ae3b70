"""A real agent that cannot keep up, a real hub, and a tier that is killed and comes back."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.journeys.ledger import _query
from tests.journeys.processes import Agent, Hub, Program, wait_for
from tests.journeys.test_delivery import assert_books_agree
from tests.journeys.test_hot_swap import Judged, judged
from tests.ports import free_port

CLOUD: Final = "c1" * 16
_BUSY: Final = """
from webapp.common.clock import now
from webapp.fleet.actions import update_camera
from webapp.fleet.models import Camera
policies = {"tiling": {"columns": 3, "rows": 3}, "overflow": {"mode": "saturated"}}
update_camera(Camera.objects.get(), at=now(), analysed_fps=12.0, policies=policies)
"""


class Tier:
    """The fake one, as a process."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        module = "tests.edge_agent.overflow.fake_tier"
        self.program = Program(
            "tier", [sys.executable, "-m", module, str(self.port), CLOUD, "person"], {},
            folder / "tier.log",
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return once it answers."""
        self.program.start()
        wait_for("the tier answers", self._answers)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/v2/health/ready", trust_env=False, timeout=1).is_success
        except httpx.TransportError:
            return False


@pytest.fixture
def tier(tmp_path: Path) -> Iterator[Tier]:
    tier = Tier(tmp_path)
    yield tier
    if tier.program.is_running:
        tier.program.kill()


@pytest.fixture
def hub(hub: Hub, tier: Tier) -> Hub:
    """A hub that knows of the tier."""
    hub.environment |= {
        "FARWATCH_TIER_URL": tier.url,
        "FARWATCH_TIER_PUBLIC_URL": tier.url,
        "FARWATCH_TIER_PRICE_PER_1000": "2",
    }
    return hub


def n_judged(hub: Hub, *, in_cloud: bool) -> int:
    return sum((each.digest == CLOUD) == in_cloud for each in judged(hub))


def has_more(hub: Hub, wanted: int, *, in_cloud: bool) -> bool:
    return n_judged(hub, in_cloud=in_cloud) >= wanted


def wait_for_more(hub: Hub, n: int, *, in_cloud: bool) -> None:
    wanted = n_judged(hub, in_cloud=in_cloud) + n
    where = "cloud" if in_cloud else "agent"
    wait_for(f"the {where} judges", partial(has_more, hub, wanted, in_cloud=in_cloud))


def counted(hub: Hub) -> dict[str, int]:
    names = "n_local, n_cloud, n_saturated, n_refused, n_late, n_failed, micros"
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in names.split(", "))
    [row] = _query(hub, f"SELECT {sums} FROM monitoring_overflowhour")
    return dict(zip(names.split(", "), map(int, row), strict=True))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_cloud_takes_what_the_agent_cannot_and_is_not_missed_when_it_dies(
    hub: Hub, agent: Agent, tier: Tier
) -> None:
    tier.start()
    hub.manage("shell", "-c", _BUSY)
    agent.environment["FARWATCH_INFERENCE_REQUESTS"] = "1"
    agent.start()
    wait_for_more(hub, 8, in_cloud=True)
    wait_for_more(hub, 3, in_cloud=False)

    tier.program.kill()
    killed_at = datetime.now(UTC)
    wait_for("the agent goes on alone", lambda: len(between(judged(hub), killed_at)) >= 3)
    back_at = datetime.now(UTC)
    tier.start()
    wait_for_more(hub, 8, in_cloud=True)
    assert_books_agree(hub, agent)

    frames = judged(hub)
    instants = [each.captured_at for each in frames]
    assert len(set(instants)) == len(instants)
    meanwhile = between(frames, killed_at, back_at)
    assert len(meanwhile) >= 3
    assert n_of(meanwhile, CLOUD) == 0

    # An agent that starts again says what it had counted when it ended.
    agent.start()
    wait_for("all is counted", lambda: counted(hub)["n_cloud"] >= n_of(frames, CLOUD) or None)
    agent.stop()
    told = counted(hub)
    assert told["n_saturated"] == sum(
        told[name] for name in ("n_cloud", "n_refused", "n_late", "n_failed")
    )
    assert told["micros"] >= 2000 * n_of(frames, CLOUD)


def between(
    frames: list[Judged], begins_at: datetime, ends_at: datetime | None = None
) -> list[Judged]:
    ends_at = ends_at or datetime.max.replace(tzinfo=UTC)
    return [each for each in frames if begins_at < _utc(each.captured_at) < ends_at]


def n_of(frames: list[Judged], digest: str) -> int:
    return sum(each.digest == digest for each in frames)


def _utc(at: datetime) -> datetime:
    """Return an instant of a table; SQLite keeps no zone."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)
