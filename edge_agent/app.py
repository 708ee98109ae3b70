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
from edge_agent.clips.courier import ClipCourier
from edge_agent.clips.shelf import ClipShelf
from edge_agent.clock import utc_now
from edge_agent.config import AgentConfig
from edge_agent.discovery import Discovery
from edge_agent.health import Health
from edge_agent.identity import Identity, IdentityFiles
from edge_agent.ledger import Ledger
from edge_agent.link import Link
from edge_agent.live import LiveDesk
from edge_agent.liveness import Asked, Check, troubles
from edge_agent.metrics.families import EngineFigures, LinkFigures, OutboxFigures
from edge_agent.metrics.page import Sources, metrics_page
from edge_agent.metrics.server import MetricsServer
from edge_agent.model_store import ModelStore
from edge_agent.outbox import Outbox
from edge_agent.overflow.access import AccessDesk
from edge_agent.overflow.book import Book
from edge_agent.overflow.cloud import TierCloud
from edge_agent.portions import Portions
from edge_agent.reconcile import LastWishes
from edge_agent.running_events import RunningEvents
from edge_agent.session import Parts
from edge_agent.site import Site
from edge_agent.sources.address import open_feed
from edge_agent.spool.spool import Spool
from edge_agent.systemd_notify import ServiceManager
from edge_agent.watch import Watch
from processing.inference.device_names import device_names
from processing.tracking.ids import track_ids
from processing.wire.messages import ClipMissing, DesiredState
from processing.wire.version import VERSION

_MB: Final = 1_000_000
_OUTBOX_PATIENCE_S: Final = 60.0
_EXPIRE_EVERY_S: Final = 300.0

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
        self._shelf = ClipShelf(
            config.resolved_clips_dir, max_mb=config.clips_max_mb, max_days=config.clips_max_days
        )
        self._events = RunningEvents(
            config.data_dir / "running-events.msgpack",
            append=self._outbox.append,
            clip_of=self._shelf.made,
        )
        self._live = LiveDesk()
        hub_url = config.hub_url or identity.membership.hub_url
        access = AccessDesk(hub_url)
        self._cloud = TierCloud(
            access,
            Book(config.data_dir / "overflow.msgpack", now=utc_now),
            on_report=self._health.overflow_is,
        )
        around = Surroundings(
            make_feed=partial(
                open_feed,
                files_dir=config.files_dir,
                now=utc_now,
                hardware=config.hardware_decode,
            ),
            health=self._health,
            raise_event=self._outbox.append,
            now=utc_now,
            dice=dice.random,
            files_dir=config.files_dir,
        )
        self._site = Site(
            ModelStore(
                config.bundle,
                device=config.device,
                cache_dir=config.resolved_cache_dir,
                mode=config.inference_mode,
                n_requests=config.inference_requests,
                problems=self._health,
            ),
            wishes=LastWishes(config.data_dir / "desired.msgpack"),
            health=self._health,
            raise_event=self._outbox.append,
            make_watch=partial(
                Watch,
                around=around,
                health=self._health,
                live=self._live,
                append=self._events.append,
                ids=track_ids(),
                shelf=self._shelf,
                cloud=self._cloud,
            ),
            now=utc_now,
        )
        self._courier = ClipCourier(
            self._shelf, hub_url=hub_url, send=self._tell_hub, dice=dice.random
        )
        parts = Parts(
            identity=identity,
            boot_id=uuid4(),
            software=f"farwatch {VERSION}",
            outbox=self._outbox,
            live=self._live,
            health=self._health,
            portions=Portions(),
            on_desired=self._desire,
            on_clips=self._courier.demand,
            now=utc_now,
            on_overflow=access.admit,
        )
        self._link = Link(hub_url, parts, dice=dice)
        self._discovery = Discovery(self._health.found_are) if config.discovers_cameras else None
        self._manager = ServiceManager(config.notify_socket, watchdog_usec=config.watchdog_usec)
        self._checks: tuple[Check, ...] = (
            Asked("the outbox", self._outbox.states, patience_s=_OUTBOX_PATIENCE_S).check,
            self._site.stuck,
        )
        self._metrics_port = config.metrics_port
        self._wanted_devices = device_names(config.device)
        log.info("agent.started", agent=str(identity.membership.agent_id), hub=hub_url)

    def _desire(self, desired: DesiredState) -> None:
        self._cloud.keep_only(camera.camera_id for camera in desired.cameras)
        self._site.desire(desired)

    def _tell_hub(self, message: ClipMissing) -> None:
        self._link.say(message)

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
        server = MetricsServer(
            page=partial(metrics_page, self._sources()), troubles=lambda: troubles(self._checks)
        )
        works = (
            self._link.run(),
            self._site.run(),
            self._courier.run(),
            self._manager.show_life(self._checks),
            self._expire_clips(),
        )
        async with server.serving(self._metrics_port, self._health), asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(work) for work in works]
            if self._discovery is not None:
                self._discovery.start()
            self._manager.ready("working")
            await stop.wait()
            self._manager.stopping()
            for task in running:
                task.cancel()

    async def _expire_clips(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._shelf.expire, utc_now())
            except OSError as error:
                self._health.problem("clips", f"old clips cannot be deleted: {error}")
            else:
                self._health.solved("clips")
            await asyncio.sleep(_EXPIRE_EVERY_S)

    def _sources(self) -> Sources:
        """Return where the metrics come from."""
        return Sources(
            software=f"farwatch {VERSION}",
            now=utc_now,
            health=self._health,
            camera_names=self._site.camera_names,
            link=lambda: LinkFigures(self._link.is_up, self._link.n_welcomes),
            outbox=lambda: self._outbox.look(_outbox_figures),
            engine=self._engine_figures,
            clips_bytes=lambda: self._shelf.n_bytes,
        )

    def _engine_figures(self) -> EngineFigures | None:
        device = self._site.device
        if device is None:
            return None
        cameras = self._health.figures()
        at_work = device.split("+")
        return EngineFigures(
            n_inferences=sum(each.n_here for each in cameras),
            n_failures=sum(each.dropped["inference_failed"] for each in cameras),
            devices={name: name in at_work for name in {*self._wanted_devices, *at_work}},
        )

    def close(self) -> None:
        """Stop the cameras, and write what they have made."""
        if self._discovery is not None:
            self._discovery.close()
        is_clean = self._site.close()
        self._cloud.close()
        self._outbox.close()
        if is_clean:
            self._events.all_stored()
        if self._ledger is not None:
            self._ledger.close()
        log.info("agent.stopped")
        if not is_clean:
            os._exit(1)  # a thread hangs in C code, and would keep the process for ever


def _outbox_figures(spool: Spool) -> OutboxFigures:
    return OutboxFigures(
        spool.states(), spool.n_bytes, spool.n_lost(), n_dead_letters=len(spool.dead_letters())
    )


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
