"""A site on one bundle's folder, with cameras that are painted, and what it tells."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol
from uuid import UUID

from edge_agent.backlog import Entry  # noqa: TC001  # at run time a reader looks for it here
from edge_agent.capture import Surroundings
from edge_agent.clock import utc_now
from edge_agent.duty import Network
from edge_agent.health import Health
from edge_agent.live import LiveDesk
from edge_agent.model_store import ModelStore
from edge_agent.reconcile import LastWishes
from edge_agent.site import Site
from edge_agent.sources.synthetic import SyntheticFeed
from edge_agent.watch import Watch
from processing.tracking.ids import track_ids
from processing.wire.camera import DesiredCamera
from processing.wire.messages import CameraState, DesiredState, EventRaised, Result, StateReport


class StoreMaker(Protocol):
    """`ModelStore`, or one of its kind."""

    def __call__(
        self, path: Path | None, *, device: str, cache_dir: Path, problems: Health
    ) -> ModelStore: ...


class Rig:
    """A site, and what it tells."""

    def __init__(
        self, folder: Path, bundle: Path | None, *, make_store: StoreMaker = ModelStore
    ) -> None:
        self.entries: list[Entry] = []
        self.health = Health(utc_now)
        around = Surroundings(
            make_feed=lambda _camera, _tap: SyntheticFeed(now=utc_now, fps=50.0),
            health=self.health,
            raise_event=self.entries.append,
            now=utc_now,
            dice=lambda: 0.5,
        )

        def make_watch(network: Network) -> Watch:
            return Watch(
                network, around=around, health=self.health, live=LiveDesk(),
                append=self.entries.append, ids=track_ids(1),
            )  # fmt: skip

        self.site = Site(
            make_store(bundle, device="CPU", cache_dir=folder / "cache", problems=self.health),
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
    def results(self) -> list[Result]:
        return [entry for entry in tuple(self.entries) if isinstance(entry, Result)]

    @property
    def events(self) -> list[EventRaised]:
        return [entry for entry in tuple(self.entries) if isinstance(entry, EventRaised)]

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110  # polls whatever the test looks at
                await asyncio.sleep(0.01)


def camera(n: int, *, is_enabled: bool = True) -> DesiredCamera:
    return DesiredCamera(
        camera_id=UUID(int=n),
        name=f"c{n}",
        source="synthetic:",
        is_enabled=is_enabled,
        analysed_fps=50.0,
    )


def desired(version: int, *cameras: DesiredCamera) -> DesiredState:
    return DesiredState(version=version, cameras=cameras)
