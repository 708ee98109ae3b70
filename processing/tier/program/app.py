"""Puts the tier together, and takes it apart in order."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Final

import structlog
import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector
from starlette.types import ASGIApp

from processing.tier.contract import InferenceTier
from processing.tier.front.bodies import Bodies
from processing.tier.front.door import Door
from processing.tier.front.http_server import bounded_protocol
from processing.tier.front.requests_seen import RequestsSeen
from processing.tier.front.turnstile import Turnstile
from processing.tier.hub.asking import HubClient
from processing.tier.hub.credentials import Everybody, Grants
from processing.tier.hub.following import Follower
from processing.tier.hub.keeping import DataFolder
from processing.tier.hub.metering import Uses
from processing.tier.hub.reporting import Reported, Reporter
from processing.tier.local import LocalTier
from processing.tier.oip.grpc_server import serving_grpc
from processing.tier.program.application import make_application
from processing.tier.program.clock import utc_now
from processing.tier.program.config import TierConfig
from processing.tier.program.metrics import DoorFigures, TierFigures
from processing.tier.program.opening import open_tier

DRAIN_S: Final = 2.0
"""For what was taken in when the tier is told to stop; whoever stops it waits 4 s."""
_KEEP_ALIVE_S: Final = 75
_BACKLOG: Final = 2048
_LOOK_S: Final = 0.05
_MB: Final = 1024 * 1024

log = structlog.get_logger()


async def run_tier(config: TierConfig, token: str) -> None:
    """Judge until SIGTERM or SIGINT.

    Raise `BadConfig`, or `OSError` if a port or the data folder is not ours.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tier = await open_tier(config)
    program = Program(config, token, tier)
    program.watch(TierFigures(tier))
    async with program.running() as url:
        log.info("tier.listening", url=url, device=config.device)
        await stop.wait()
        log.info("tier.stopping")


class Program:
    """A tier with all its fronts."""

    def __init__(self, config: TierConfig, token: str, tier: InferenceTier) -> None:
        self._config = config
        self._tier = tier
        self._uses = Uses()
        self._data = DataFolder(config.data_dir)
        self._hub = HubClient(config.hub_url, token) if config.hub_url else None
        credentials = Grants(self._hub) if self._hub else Everybody()
        self._door = Door(tier, credentials, self._uses)
        self._bodies = Bodies(config.bodies_mb * _MB)
        self._follower = Follower(tier, config.bundles, self._data)
        self._reporter = self._make_reporter()
        self._registry = CollectorRegistry()
        self._registry.register(DoorFigures(self._door, self._bodies, self._uses))

    def watch(self, figures: Collector) -> None:
        """Show more figures at `/metrics`."""
        self._registry.register(figures)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve inside the block; yield the address. At its end answer what was taken in."""
        listening = _listen(self._config.host, self._config.port)
        host, grpc_port = self._config.host, self._config.grpc_port
        async with (
            self.working() as application,
            serving_grpc(self._door, self._bodies, host=host, port=grpc_port, grace_s=DRAIN_S),
            asyncio.TaskGroup() as group,
        ):
            turnstile = Turnstile(self._door, on_refused=application.count)
            server = _server(application, self._config, turnstile)
            serving = group.create_task(server.serve(sockets=[listening]))
            try:
                yield _url(listening)
            finally:
                server.should_exit = True
                await self._tier.drain(DRAIN_S)
                await serving

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[RequestsSeen]:
        """Do all inside the block but listen; yield the application, for whoever does that.

        At its end answer what was taken in.
        """
        application = make_application(
            self._door,
            self._bodies,
            self._registry,
            troubles=self._troubles,
            metrics_token=self._config.metrics_token,
        )
        async with asyncio.TaskGroup() as group:
            chores = [group.create_task(self._follower.run())]
            if self._reporter is not None:
                chores.append(group.create_task(self._reporter.run()))
            try:
                yield application
            finally:
                await self._tier.drain(DRAIN_S)
                for chore in chores:
                    chore.cancel()
        await self._close()

    async def wait_until_ready(self, timeout_s: float) -> bool:
        """Return whether some version can judge, as soon as one can."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self._door.is_ready():  # noqa: ASYNC110  # nobody tells when it is
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            return False
        return True

    async def _close(self) -> None:
        if self._reporter is not None:
            await self._reporter.close()
        if self._hub is not None:
            await self._hub.aclose()

    def _make_reporter(self) -> Reporter | None:
        if self._hub is None:
            return None
        about = Reported(
            tier=self._tier,
            uses=self._uses,
            bundles=self._config.bundles,
            device=self._config.device,
            disagreement=self._disagreement,
            troubles=self._problems,
        )
        return Reporter(self._hub, about, self._data, on_wanted=self._follower.want, now=utc_now)

    def _disagreement(self, model: str) -> float | None:
        if not isinstance(self._tier, LocalTier):
            return None
        figures = self._tier.model_figures.get(model)
        return figures.disagreement if figures else None

    def _troubles(self) -> list[str]:
        """Return what keeps it from judging for anybody."""
        return [] if self._door.is_ready() else ["no model is ready", *self._problems()]

    def _problems(self) -> list[str]:
        """Return what people should know of, in words."""
        problems = [
            f"{status.model} ({status.name}): {status.reason}"
            for status in self._tier.models()
            if status.state == "failed"
        ]
        if self._reporter is not None and self._reporter.trouble:
            problems.append(self._reporter.trouble)
        if self._follower.trouble:
            problems.append(self._follower.trouble)
        if self._uses.n_lost:
            problems.append(f"the uses of {self._uses.n_lost} pictures could not be counted")
        return problems


class _Server(uvicorn.Server):
    """Leaves signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(application: ASGIApp, config: TierConfig, turnstile: Turnstile) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            application,
            http=bounded_protocol(turnstile),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=config.max_connections,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(DRAIN_S),
        )
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise OSError(
            f"{host}:{port} cannot be listened at ({error.strerror}): is another tier running? "
            "Set FARWATCH_TIER_PORT"
        ) from error


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
