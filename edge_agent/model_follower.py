"""Notices that the bundle's files change while a model runs, and lets the new one take over.

The new one is verified, compiled and tried while the old one goes on; one that fails in any of
this changes nothing.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from msgspec.structs import replace

from edge_agent.clock import Clock
from edge_agent.duty import Network
from edge_agent.health import Health
from edge_agent.model_store import ModelStore, NoModel
from processing.wire.messages import BundleState, EventRaised

LOOK_AGAIN_S: Final = 1.0
"""How often to see whether the bundle's files have changed."""
TRY_AGAIN_S: Final = 60.0
"""And how often to try although they have not: it may have been memory, or a device."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Serving:
    """The model that runs."""

    network: Network
    state: BundleState
    """As it was reported last."""
    seen: object
    """The fingerprint of its files."""


class ModelFollower:
    """Used on the event loop."""

    def __init__(
        self,
        models: ModelStore,
        serving: Serving,
        *,
        health: Health,
        raise_event: Callable[[EventRaised], None],
        change_network: Callable[[Network], None],
        now: Clock,
    ) -> None:
        self._models = models
        self._serving = serving
        self._health = health
        self._raise_event = raise_event
        self._change_network = change_network
        self._now = now
        self._refused: object = None
        """The fingerprint of files that could not be used."""
        self._try_at = 0.0

    async def run(self) -> None:
        """Follow the files, and the devices that run them, until cancelled."""
        before = self._serving.seen
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            self._report_device()
            found = await asyncio.to_thread(self._models.fingerprint)
            # Files that still change are being copied.
            if found == before:
                await self._consider(found)
            before = found

    async def _consider(self, found: object) -> None:
        if found == self._serving.seen:
            self._forgive()
        elif found != self._refused or asyncio.get_running_loop().time() >= self._try_at:
            await self._try(found)

    async def _try(self, found: object) -> None:
        try:
            bundle = await asyncio.to_thread(self._models.verify)
            if bundle.digest == self._serving.state.digest:
                self._serving = Serving(self._serving.network, self._serving.state, found)
                return self._forgive()
            network, state = await asyncio.to_thread(self._models.start, bundle)
        except NoModel as error:
            return self._refuse(found, str(error.__cause__ or error))
        before = self._serving.state
        self._serving = Serving(network, state, found)
        self._change_network(network)
        self._health.bundle_is(state)
        self._forgive()
        log.info("model.changed", name=state.name, version=state.version)
        self._raise_event(
            EventRaised(
                kind="model_changed",
                occurred_at=self._now(),
                title=f"The model {state.name} {state.version} has taken over",
                detail=f"from {before.name} {before.version}; no frame was lost",
            )
        )
        return None

    def _refuse(self, found: object, reason: str) -> None:
        self._try_at = asyncio.get_running_loop().time() + TRY_AGAIN_S
        self._health.problem(
            "model", f"The new model cannot be used, the old one goes on: {reason}"
        )
        if self._refused is None:
            self._raise_event(
                EventRaised(
                    kind="model_refused",
                    occurred_at=self._now(),
                    title="The new model cannot be used, the old one goes on",
                    detail=reason,
                    severity="error",
                )
            )
        self._refused = found

    def _forgive(self) -> None:
        self._refused = None
        self._health.solved("model")

    def _report_device(self) -> None:
        device = self._serving.network.engine.device
        if device != self._serving.state.device:
            state = replace(self._serving.state, device=device)
            self._serving = Serving(self._serving.network, state, self._serving.seen)
            self._health.bundle_is(state)
