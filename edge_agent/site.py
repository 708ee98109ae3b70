"""Brings about what the hub wants: opens the model, then starts, tunes and stops cameras."""

import asyncio
import threading
from collections.abc import Callable
from typing import Final

import structlog

from edge_agent.clock import Clock
from edge_agent.health import Health
from edge_agent.model_store import ModelStore, NoModel
from edge_agent.reconcile import LastWishes, changes
from edge_agent.watch import Network, Watch
from processing.wire.messages import DesiredState, EventRaised

_LOOK_AGAIN_S: Final = 1.0
"""Without a model: how often to see whether its files have changed."""
_TRY_AGAIN_S: Final = 60.0
"""And how often to try although they have not: it may have been memory, or a device."""
_END_S: Final = 2.0

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

    async def run(self) -> None:
        """Act upon what is desired, until cancelled."""
        self._watch = await self._open_model()
        while True:
            self._news.clear()
            self._apply(self._watch)
            await self._news.wait()

    def close(self) -> bool:
        """Stop all cameras; return whether all of it ended."""
        if self._watch is None:
            return True
        # In a thread that can be left behind: an engine may hang, and results wait to be stored.
        closing = threading.Thread(target=self._watch.close, name="closing", daemon=True)
        closing.start()
        closing.join(_END_S)
        return not closing.is_alive()

    def _apply(self, watch: Watch) -> None:
        desired = self._desired
        for change in changes(desired, watch.cameras):
            watch.apply(change)
        for camera in desired.cameras:
            if not camera.is_enabled:
                self._health.camera_is(camera.camera_id, "disabled")
        self._health.keep_only(camera.camera_id for camera in desired.cameras)
        self._health.desired_is(desired.version)

    async def _open_model(self) -> Watch:
        """Return the watch with the model, however long it takes until there is one."""
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
            return self._make_watch(network)

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
        for _ in range(int(_TRY_AGAIN_S / _LOOK_AGAIN_S)):
            await asyncio.sleep(_LOOK_AGAIN_S)
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
