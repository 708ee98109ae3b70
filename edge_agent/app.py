"""The composition root: builds everything that `run` needs, and ends it in order."""

import asyncio
import contextlib
import os
import random
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Final
from uuid import uuid4

import structlog

from edge_agent.capture import Surroundings
from edge_agent.clock import utc_now
from edge_agent.config import AgentConfig
from edge_agent.health import Health
from edge_agent.identity import Identity, IdentityFiles
from edge_agent.ledger import Ledger
from edge_agent.link import Link
from edge_agent.live import LiveDesk
from edge_agent.model_store import ModelStore
from edge_agent.outbox import Outbox
from edge_agent.portions import Portions
from edge_agent.reconcile import LastWishes
from edge_agent.session import Parts
from edge_agent.site import Site
from edge_agent.sources.address import open_feed
from edge_agent.watch import Watch
from processing.tracking.ids import track_ids
from processing.wire.version import VERSION

_MB: Final = 1_000_000

log = structlog.get_logger()


async def run_agent(config: AgentConfig) -> int:
    """Run until SIGTERM or SIGINT; return the exit status.

    Raise `NotEnrolled`, `BadIdentity` or `SpoolRefused` when it cannot begin.
    """
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    identity = IdentityFiles(config.data_dir).load()
    stop = asyncio.Event()
    broken = _stop_when_asked(stop)
    agent = _Agent(config, identity)
    try:
        await agent.run_until(stop)
    finally:
        agent.close()
    return 1 if broken.is_set() else 0


class _Agent:
    """All the parts, built once."""

    def __init__(self, config: AgentConfig, identity: Identity) -> None:
        dice = random.SystemRandom()
        self._ledger = Ledger(config.ledger) if config.ledger else None
        self._health = Health(utc_now)
        self._outbox = Outbox(
            config.data_dir / "outbox.db",
            capacity_bytes=config.outbox_max_mb * _MB,
            now=utc_now,
            problems=self._health,
            ledger=self._ledger,
        )
        self._live = LiveDesk()
        around = Surroundings(
            make_feed=partial(open_feed, files_dir=config.files_dir, now=utc_now),
            health=self._health,
            raise_event=self._outbox.append,
            now=utc_now,
            dice=dice.random,
        )
        self._site = Site(
            ModelStore(config.bundle, device=config.device, cache_dir=config.resolved_cache_dir),
            wishes=LastWishes(config.data_dir / "desired.msgpack"),
            health=self._health,
            raise_event=self._outbox.append,
            make_watch=partial(
                Watch,
                around=around,
                health=self._health,
                live=self._live,
                append=self._outbox.append,
                ids=track_ids(),
            ),
            now=utc_now,
        )
        parts = Parts(
            identity=identity,
            boot_id=uuid4(),
            software=f"farwatch {VERSION}",
            outbox=self._outbox,
            live=self._live,
            health=self._health,
            portions=Portions(),
            on_desired=self._site.desire,
            now=utc_now,
        )
        hub_url = config.hub_url or identity.membership.hub_url
        self._link = Link(hub_url, parts, dice=dice)
        log.info("agent.started", agent=str(identity.membership.agent_id), hub=hub_url)

    async def run_until(self, stop: asyncio.Event) -> None:
        """Run link and cameras; return once `stop` is set."""
        loop = asyncio.get_running_loop()

        def on_loop(call: Callable[[], None]) -> Callable[[], None]:
            """Return what other threads may call for it."""

            def from_any_thread() -> None:
                with contextlib.suppress(RuntimeError):  # the loop has ended before the thread
                    loop.call_soon_threadsafe(call)

            return from_any_thread

        self._outbox.call_on_commit(on_loop(self._link.wake))
        self._live.call_on_put(on_loop(self._link.wake))
        self._health.call_on_change(on_loop(self._link.state_changed))
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._link.run()), tasks.create_task(self._site.run())]
            await stop.wait()
            for task in running:
                task.cancel()

    def close(self) -> None:
        """Stop the cameras, and write what they have made."""
        is_clean = self._site.close()
        self._outbox.close()
        if self._ledger is not None:
            self._ledger.close()
        log.info("agent.stopped")
        if not is_clean:
            os._exit(1)  # a thread hangs in C code, and would keep the process for ever


def _stop_when_asked(stop: asyncio.Event) -> threading.Event:
    """Set `stop` on a signal; return what is set when a thread of ours broke instead."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    broken = threading.Event()

    def on_thread_broken(args: threading.ExceptHookArgs) -> None:
        # No thread of the agent ends by an exception: this is a defect, and half an agent is worse
        # than one that whoever started it starts again.
        error = args.exc_value
        name = args.thread.name if args.thread else "?"
        log.critical("thread.broken", thread=name, exc_info=error)
        broken.set()
        loop.call_soon_threadsafe(stop.set)

    threading.excepthook = on_thread_broken
    return broken
