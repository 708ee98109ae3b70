"""Brings about what the hub wants: opens the model, then starts, tunes and stops cameras."""

import asyncio
import threading
from collections.abc import Callable
from typing import Final
from uuid import UUID

import structlog

from edge_agent.clock import Clock
from edge_agent.duty import Network
from edge_agent.health import Health
from edge_agent.model_follower import LOOK_AGAIN_S, TRY_AGAIN_S, ModelFollower, Serving
from edge_agent.model_store import ModelStore, NoModel
from edge_agent.reconcile import LastWishes, changes
from edge_agent.watch import Watch
from processing.wire.messages import DesiredState, EventRaised

_END_S: Final = 5.0
"""For all of a watch to end, one thing after the other."""

log = structlog.get_logger()


class Site:
    """Used on the event loop; `close` afterwards."""

    def __init__(
        self,
        models: ModelStore,
        *,
        wishes: LastWishes,
        health: Health,
        raise_event: Callable[[EventRaised], None],
        make_watch: Callable[[Network], Watch],
        now: Clock,
    ) -> None:
        self._models = models
        self._wishes = wishes
        self._health = health
        self._raise_event = raise_event
        self._make_watch = make_watch
        self._now = now
        self._desired = wishes.read()
        self._news = asyncio.Event()
        self._watch: Watch | None = None

    def desire(self, desired: DesiredState) -> None:
        """Take what the hub wants now; it is acted upon soon."""
        if desired == self._desired:
            return
        self._desired = desired
        self._wishes.write(desired)
        self._news.set()
        if self._watch is None:
            self._let_wait()

    def camera_names(self) -> dict[UUID, str]:
        """Return what people call the cameras."""
        return {camera.camera_id: camera.name for camera in self._desired.cameras}

    @property
    def device(self) -> str | None:
        """Return what the network runs on now; None while there is none."""
        return None if self._watch is None else self._watch.device

    def stuck(self) -> str | None:
        """Return what does not move any more, in words."""
        return None if self._watch is None else self._watch.stuck()

    async def run(self) -> None:
        """Act upon what is desired, until cancelled."""
        serving = await self._open_model()
        watch = self._watch = self._make_watch(serving.network)
        follower = ModelFollower(
            self._models,
            serving,
            health=self._health,
            raise_event=self._raise_event,
            change_network=watch.change_network,
            now=self._now,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(follower.run())
            tasks.create_task(self._act(watch))

    def close(self) -> bool:
        """Stop all cameras; return whether all of it ended."""
        if self._watch is None:
            return True
        # In a thread that can be left behind: an engine may hang, and results wait to be stored.
        closing = threading.Thread(target=self._watch.close, name="closing", daemon=True)
        closing.start()
        closing.join(_END_S)
        return not closing.is_alive()

    async def _act(self, watch: Watch) -> None:
        while True:
            self._news.clear()
            self._apply(watch)
            await self._news.wait()

    def _apply(self, watch: Watch) -> None:
        desired = self._desired
        for change in changes(desired, watch.cameras):
            watch.apply(change)
        for camera in desired.cameras:
            if not camera.is_enabled:
                self._health.camera_is(camera.camera_id, "disabled")
        self._health.keep_only(camera.camera_id for camera in desired.cameras)
        self._health.desired_is(desired.version)

    async def _open_model(self) -> Serving:
        """Return the model, ready to run, however long it takes until there is one."""
        is_told = False
        while True:
            seen = await asyncio.to_thread(self._models.fingerprint)
            try:
                network, state = await asyncio.to_thread(self._models.open)
            except NoModel as error:
                self._miss_model(str(error), is_told=is_told)
                is_told = True
                await self._files_changed(seen)
                continue
            self._health.solved("model")
            self._health.bundle_is(state)
            if is_told:
                self._tell("model_back", f"The model {state.name} runs", "")
            return Serving(network, state, seen)

    def _miss_model(self, reason: str, *, is_told: bool) -> None:
        self._health.problem("model", reason)
        self._let_wait()
        if not is_told:
            self._tell("model_unusable", "The agent has no model to run", reason)

    def _let_wait(self) -> None:
        for camera in self._desired.cameras:
            if camera.is_enabled:
                self._health.camera_is(camera.camera_id, "connecting", "it waits for a model")

    async def _files_changed(self, seen: object) -> None:
        """Return when the bundle's files are no longer as `seen`, or after a while anyway."""
        for _ in range(int(TRY_AGAIN_S / LOOK_AGAIN_S)):
            await asyncio.sleep(LOOK_AGAIN_S)
            if await asyncio.to_thread(self._models.fingerprint) != seen:
                return

    def _tell(self, kind: str, title: str, detail: str) -> None:
        self._raise_event(
            EventRaised(
                kind=kind,
                occurred_at=self._now(),
                title=title,
                detail=detail,
                severity="error" if kind == "model_unusable" else "info",
            )
        )
