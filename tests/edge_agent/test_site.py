"""What the hub wants is brought about, with a model, and as soon as there is one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import pytest

from edge_agent import site as site_module
from edge_agent.backlog import Entry  # noqa: TC001  # at run time a reader looks for it here
from edge_agent.capture import Surroundings
from edge_agent.clock import utc_now
from edge_agent.health import Health
from edge_agent.live import LiveDesk
from edge_agent.model_store import ModelStore
from edge_agent.reconcile import LastWishes
from edge_agent.site import Site
from edge_agent.sources.synthetic import SyntheticFeed
from edge_agent.watch import Network, Watch
from processing.tracking.ids import track_ids
from processing.wire.messages import (
    CameraState,
    DesiredCamera,
    DesiredState,
    EventRaised,
    Result,
    StateReport,
)
from tests.processing.tiny_bundle import make_tiny_bundle


class Rig:
    """A site, and what it tells."""

    def __init__(self, folder: Path, bundle: Path | None) -> None:
        self.entries: list[Entry] = []
        self.health = Health(utc_now)
        around = Surroundings(
            lambda _source: SyntheticFeed(now=utc_now), self.health, self.entries.append,
            utc_now, lambda: 0.5,
        )  # fmt: skip

        def make_watch(network: Network) -> Watch:
            return Watch(
                network, around=around, health=self.health, live=LiveDesk(),
                append=self.entries.append, ids=track_ids(1),
            )  # fmt: skip

        self.site = Site(
            ModelStore(bundle, device="CPU", cache_dir=folder / "cache"),
            wishes=LastWishes(folder / "desired.msgpack"),
            health=self.health,
            raise_event=self.entries.append,
            make_watch=make_watch,
            now=utc_now,
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.site.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert self.site.close()

    @property
    def report(self) -> StateReport:
        return self.health.report(())

    @property
    def cameras(self) -> dict[int, CameraState]:
        return {state.camera_id.int: state for state in self.report.cameras}

    @property
    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.entries if isinstance(entry, EventRaised)]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110  # polls whatever the test looks at
                await asyncio.sleep(0.01)


def camera(n: int, *, is_enabled: bool = True) -> DesiredCamera:
    return DesiredCamera(
        camera_id=UUID(int=n), name=f"c{n}", source="synthetic:", is_enabled=is_enabled
    )


def desired(version: int, *cameras: DesiredCamera) -> DesiredState:
    return DesiredState(version=version, cameras=cameras)


async def test_it_works(tmp_path: Path) -> None:
    rig = Rig(tmp_path, make_tiny_bundle(tmp_path / "tiny"))
    rig.site.desire(desired(7, camera(1), camera(2, is_enabled=False)))
    async with rig.running():
        await rig.until(lambda: any(isinstance(entry, Result) for entry in rig.entries))
        assert rig.report.desired_version == 7
        assert rig.report.bundles[0].labels == ("blue", "green", "red")
        assert {n: state.state for n, state in rig.cameras.items()} == {1: "online", 2: "disabled"}
        rig.site.desire(desired(8, camera(3)))
        await rig.until(lambda: rig.report.desired_version == 8)
        assert set(rig.cameras) == {3}
    assert rig.kinds == []


async def test_it_starts_with_the_last_wishes_while_the_hub_is_away(tmp_path: Path) -> None:
    LastWishes(tmp_path / "desired.msgpack").write(desired(5, camera(1)))
    rig = Rig(tmp_path, make_tiny_bundle(tmp_path / "tiny"))
    async with rig.running():
        await rig.until(lambda: any(isinstance(entry, Result) for entry in rig.entries))
    assert rig.report.desired_version == 5


async def test_without_a_model_it_says_so_and_goes_on_when_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_module, "_LOOK_AGAIN_S", 0.05)
    rig = Rig(tmp_path, tmp_path / "tiny")
    async with rig.running():
        rig.site.desire(desired(1, camera(1)))
        await rig.until(lambda: rig.kinds == ["model_unusable"])
        assert "no bundle" in rig.report.problems[0]
        assert rig.cameras[1].reason == "it waits for a model"
        assert rig.report.desired_version == 0  # it has not acted yet
        make_tiny_bundle(tmp_path / "tiny")
        await rig.until(lambda: any(isinstance(entry, Result) for entry in rig.entries))
        assert rig.report.problems == ()
        assert rig.kinds == ["model_unusable", "model_back"]


async def test_one_flipped_bit_keeps_a_model_from_running(tmp_path: Path) -> None:
    bundle = make_tiny_bundle(tmp_path / "tiny")
    weights = next(bundle.rglob("*.onnx"))
    content = bytearray(weights.read_bytes())
    content[100] ^= 4
    weights.write_bytes(content)
    rig = Rig(tmp_path, bundle)
    async with rig.running():
        await rig.until(lambda: rig.report.problems)
    assert "damaged" in rig.report.problems[0]
