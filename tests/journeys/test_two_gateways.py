"""Two web processes on one PostgreSQL and one Redis, behind one address; each part is killed."""

import asyncio
import itertools
import random
import re
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import httpx
import msgspec
import psycopg
import pytest
import structlog
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from processing.wire.browser import Changed, Counters, VideoHeader
from processing.wire.messages import (
    Ack,
    CameraState,
    LiveDemand,
    LivePicture,
    LiveVideo,
    LiveView,
    StateReport,
)
from tests.factories import JPEG
from tests.journeys.front import Front, fronted
from tests.journeys.processes import PATIENCE_S, Hub, Prepared, Program, wait_for
from tests.migrated import new_database
from tests.needed import need_postgres, need_redis
from tests.ports import free_port
from tests.webapp.gateway.real import Enrolled, Line, connected, enrol
from tests.webapp.gateway.test_real_hub import PER_BATCH, WINDOW, batch, through
from webapp.common.parcels import Channels

pytestmark = pytest.mark.timeout(400)

log = structlog.get_logger(__name__)

APART_S = 0.05
"""Between two batches: the agent of this test is one that goes on and on."""
SECRET = "of these two processes alone, and long enough: " + uuid.uuid4().hex


@dataclass
class Gateways:
    """A hub of two web processes, one of each server."""

    hub: Hub
    other: Program
    other_port: int
    prepared: Prepared
    agent: Enrolled

    @property
    def ports(self) -> tuple[int, int]:
        return self.hub.port, self.other_port

    def at(self, port: int) -> Program:
        return self.hub.web if port == self.hub.port else self.other

    def start(self, port: int) -> None:
        """Start the process of this port and wait until it answers."""
        self.at(port).start()
        wait_for("a gateway answers", lambda: answers(port))


def answers(port: int) -> bool:
    with suppress(httpx.TransportError):
        url = f"http://127.0.0.1:{port}/healthz"
        return httpx.get(url, timeout=PATIENCE_S, trust_env=False).is_success
    return False


@pytest.fixture(scope="module")
def gateways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateways]:
    folder = tmp_path_factory.mktemp("hub")
    with new_database(need_postgres()) as url:
        hub = Hub(folder, database_url=url)
        hub.environment |= {"FARWATCH_REDIS_URL": need_redis(), "FARWATCH_SECRET_KEY": SECRET}
        port = free_port()
        serve = [sys.executable, "manage.py", "serve", "--server", "uvicorn", "--port", str(port)]
        other = Program("other", serve, hub.environment, folder / "other.log")
        try:
            prepared = hub.prepare(source="usb:0", is_new_agent=True)
            other.start()
            hub.start()
            assert prepared.token is not None
            agent = enrol(hub, prepared.token)
            hub.prepare(source="usb:0", is_new_agent=False)
            wait_for("the other answers", lambda: answers(port))
            yield Gateways(hub, other, port, prepared, agent)
        finally:
            hub.stop()
            if other.is_running:
                other.stop()


def log_in(gateways: Gateways, port: int) -> str:
    """Return the cookies of somebody who has logged in at this process."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as browser:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get("/login/").text)
        assert found is not None
        prepared = gateways.prepared
        form = {"username": prepared.user, "password": prepared.password}
        form["csrfmiddlewaretoken"] = found[1]
        answer = browser.post("/login/", data=form)
        assert answer.status_code == 302, answer.text[:500]
        return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def browsing(port: int, path: str, cookies: str) -> connect:
    """Return a browser's websocket."""
    origin = f"http://127.0.0.1:{port}"
    headers = {"Cookie": cookies, "Origin": origin}
    url = f"ws://127.0.0.1:{port}{path}"
    return connect(url, additional_headers=headers, proxy=None, compression=None)


async def heard(socket: ClientConnection, is_it: Callable[[str | bytes], bool]) -> str | bytes:
    """Return the first message that is it; thank for every one."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message = await socket.recv()
            await socket.send("ok")
            if is_it(message):
                return message


def picture(camera_id: UUID) -> LivePicture:
    return LivePicture(
        camera_id=camera_id,
        captured_at=datetime.now(UTC),
        width=640,
        height=272,
        bundle=bytes(16),
        detections=b"",
        jpeg=JPEG,
    )


FRAGMENT = b"moof and mdat of a picture " * 400
KEY_EVERY = 10
"""Of the fragments, one is of a key picture."""


def fragment(camera_id: UUID, number: int) -> LiveVideo:
    is_key = number % KEY_EVERY == 1
    return LiveVideo(
        camera_id=camera_id,
        captured_at=datetime.now(UTC),
        number=number,
        at_s=number / 10,
        fragment=FRAGMENT,
        width=640,
        height=272,
        codec="avc1.42c00b" if is_key else "",
        init=b"init" if is_key else b"",
    )


async def show_when_asked(line: Line) -> None:
    """Send pictures and video while somebody looks, as an agent does."""
    numbers = itertools.count(1)

    async def show(view: LiveView) -> None:
        if view.has_pictures:
            await line.say(picture(view.camera_id))
        if view.has_video:
            await line.say(fragment(view.camera_id, next(numbers)))

    while True:
        message = await line.hear()
        while isinstance(message, LiveDemand) and message.views:
            await show(message.views[0])
            with suppress(TimeoutError):
                async with asyncio.timeout(APART_S):
                    message = await line.hear()


async def heard_fragment(socket: ClientConnection) -> int:
    """Return the number of the next fragment of video."""
    payload = await heard(socket, lambda message: isinstance(message, bytes))
    assert isinstance(payload, bytes)
    assert payload.endswith(FRAGMENT)
    head = payload[4 : 4 + int.from_bytes(payload[:4], "little")]
    return msgspec.json.decode(head, type=VideoHeader).number


def counts_an_agent(message: str | bytes) -> bool:
    if not isinstance(message, str):
        return False
    told = msgspec.json.decode(message, type=Counters | Changed)
    return isinstance(told, Counters) and told.n_agents_online == 1


def says_cameras(message: str | bytes) -> bool:
    return isinstance(message, str) and '"changed"' in message and '"cameras"' in message


@pytest.mark.parametrize("way", ["daphne-to-uvicorn", "uvicorn-to-daphne"])
async def test_a_browser_at_one_sees_an_agent_at_the_other(gateways: Gateways, way: str) -> None:
    is_crossed = way == "uvicorn-to-daphne"
    agents_port, browsers_port = gateways.ports[::-1] if is_crossed else gateways.ports
    cookies = await asyncio.to_thread(log_in, gateways, browsers_port)
    async with (
        connected(Front((), port=agents_port), gateways.agent) as (line, welcome),
        browsing(browsers_port, "/live/", cookies) as page,
    ):
        camera_id = welcome.desired.cameras[0].camera_id
        await heard(page, counts_an_agent)
        state = CameraState(
            camera_id=camera_id,
            state="unreachable" if is_crossed else "online",
            since_at=datetime.now(UTC),
            fps=9.5,
            n_frames=100,
            n_dropped=3,
            width=640,
            height=272,
        )
        report = StateReport(
            at=datetime.now(UTC), desired_version=welcome.desired.version, cameras=(state,)
        )
        await line.say(report)
        await heard(page, says_cameras)
        showing = asyncio.create_task(show_when_asked(line))
        try:
            async with browsing(browsers_port, f"/live/camera/{camera_id}/", cookies) as live:
                for _ in range(3):
                    seen = await heard(live, lambda message: isinstance(message, bytes))
                    assert isinstance(seen, bytes)
                    assert seen.endswith(JPEG)
            async with browsing(browsers_port, f"/live/camera/{camera_id}/video/", cookies) as live:
                numbers = [await heard_fragment(live) for _ in range(12)]
                assert numbers[0] % KEY_EVERY == 1
                steps = itertools.pairwise(numbers)
                assert all(now == before + 1 or now % KEY_EVERY == 1 for before, now in steps)
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)


@dataclass
class Delivering:
    """An agent that delivers results for ever, through whatever happens."""

    agent: Enrolled
    front: Front
    n_acked: int = 0
    n_rejected: int = 0
    n_forgotten: int = 0
    """Acknowledged, and then asked for anew."""
    longest_gap_s: float = 0.0
    """Between two acknowledgements."""
    _acked_at: float = field(default_factory=time.monotonic)
    is_enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Deliver until it is enough and all is acknowledged."""
        while True:
            try:
                async with connected(self.front, self.agent) as (line, welcome):
                    self.n_forgotten += max(0, self.n_acked - through(welcome))
                    self.n_acked = through(welcome)
                    if await self._deliver(line, welcome):
                        return
            except (ConnectionClosed, OSError, AssertionError):
                await asyncio.sleep(0.1)

    async def _deliver(self, line: Line, welcome: object) -> bool:
        sent = self.n_acked
        while not self.is_enough.is_set() or self.n_acked < sent:
            if not self.is_enough.is_set() and sent - self.n_acked < WINDOW * PER_BATCH:
                await line.say(batch(welcome, sent + 1))  # type: ignore[arg-type]  # a Welcome
                sent += PER_BATCH
            with suppress(TimeoutError):
                async with asyncio.timeout(APART_S):
                    message = await line.hear()
                    if isinstance(message, Ack):
                        self._note(message)
        return True

    def _note(self, ack: Ack) -> None:
        self.n_acked = max(self.n_acked, ack.through_seq)
        self.n_rejected += len(ack.rejected)
        now = time.monotonic()
        self.longest_gap_s = max(self.longest_gap_s, now - self._acked_at)
        self._acked_at = now

    async def more(self, n_results: int = 5 * PER_BATCH) -> float:
        """Wait until so many more are acknowledged; return how long it took."""
        begun, wanted = time.monotonic(), self.n_acked + n_results
        async with asyncio.timeout(PATIENCE_S):
            while self.n_acked < wanted:  # noqa: ASYNC110 - it has no event to wait for
                await asyncio.sleep(0.02)
        return time.monotonic() - begun


@pytest.mark.timeout(6 * 3600)
async def test_each_part_killed_in_the_middle_loses_and_doubles_nothing(
    gateways: Gateways, soaked: Callable[[int], int]
) -> None:
    dice = random.Random(11)
    async with fronted(gateways.ports) as front:
        delivering = Delivering(gateways.agent, front)
        running = asyncio.create_task(delivering.run())
        strikes: list[Callable[[], Awaitable[None]]] = [
            lambda: kill_holder(gateways, front),
            lambda: kill_holder(gateways, front),  # the other by now
            lambda: cut_postgres(gateways),
            cut_redis,
        ]
        back_s = []
        for _ in range(soaked(50)):
            dice.shuffle(strikes)
            for strike in strikes:
                await delivering.more()
                await strike()
                back_s.append(await delivering.more())
        delivering.is_enough.set()
        async with asyncio.timeout(PATIENCE_S):
            await running
    figures = {"back_s": max(back_s), "longest_gap_s": delivering.longest_gap_s}
    log.info("killed", n_strikes=len(back_s), **{k: round(v, 2) for k, v in figures.items()})
    assert (delivering.n_rejected, delivering.n_forgotten) == (0, 0)
    with psycopg.connect(gateways.hub.database_url) as postgres:
        row = postgres.execute(
            "SELECT count(*), count(DISTINCT seq), max(seq) FROM results_result"
        ).fetchone()
    assert row == (delivering.n_acked,) * 3


async def kill_holder(gateways: Gateways, front: Front) -> None:
    """Kill -9 the process that has the agent's connection; start it again."""
    port = front.newest_port
    gateways.at(port).kill()
    await asyncio.to_thread(gateways.start, port)


async def cut_postgres(gateways: Gateways) -> None:
    """End every connection to the database."""
    url = gateways.hub.database_url
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as postgres:
        await postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def cut_redis() -> None:
    """End every connection of this hub to Redis."""
    async with Redis.from_url(need_redis()) as redis:
        clients = [
            each for each in await redis.client_list() if each["name"] == Channels(SECRET).name
        ]
        assert clients
        for client in clients:
            await redis.client_kill_filter(_id=client["id"])
