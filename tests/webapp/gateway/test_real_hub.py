"""The same over a real socket, to a real process that is killed."""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from processing.wire.limits import MAX_ENTRIES, MAX_MESSAGE_BYTES
from processing.wire.messages import Ack, Refused, ResultBatch, Welcome
from tests.journeys.ledger import comings_and_goings, stored_rows
from tests.journeys.processes import Hub
from tests.needed import need_postgres
from tests.webapp.gateway.double import make_batch, make_entry
from tests.webapp.gateway.real import Enrolled, Line, connected, dialled, enrol

WINDOW = 6
PER_BATCH = 20


@pytest.fixture(params=["sqlite", "postgres"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hub]:
    """A hub on an empty database, to be killed."""
    if request.param == "sqlite":
        with stopped_afterwards(Hub(tmp_path)) as hub:
            yield hub
        return
    server, name = need_postgres(), f"farwatch_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        with stopped_afterwards(
            Hub(tmp_path, database_url=f"{server.rsplit('/', 1)[0]}/{name}")
        ) as hub:
            yield hub
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Hub, Enrolled]:
    """A hub that is not running, and an agent of it."""
    with stopped_afterwards(Hub(tmp_path_factory.mktemp("hub"))) as hub:
        return hub, joined(hub)


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def standing(
    request: pytest.FixtureRequest, enrolled: tuple[Hub, Enrolled]
) -> Iterator[tuple[Hub, Enrolled]]:
    """A hub that runs through all tests that do it no harm, and an agent of it."""
    hub, agent = enrolled
    hub.serve_with(request.param)
    with stopped_afterwards(hub):
        hub.start()
        yield hub, agent


@contextmanager
def stopped_afterwards(hub: Hub) -> Iterator[Hub]:
    try:
        yield hub
    finally:
        hub.stop()


def joined(hub: Hub) -> Enrolled:
    """Start the hub and return an agent of it, with one camera."""
    prepared = hub.prepare(source="usb:0", is_new_agent=True)
    hub.start()
    assert prepared.token is not None
    enrolled = enrol(hub, prepared.token)
    hub.prepare(source="usb:0", is_new_agent=False)
    return enrolled


def batch(welcome: Welcome, first_seq: int, n_entries: int = PER_BATCH) -> ResultBatch:
    """Return entries that tell their number by the instant they were captured at."""
    camera_id = welcome.desired.cameras[0].camera_id
    begun_at = datetime.now(UTC) - timedelta(hours=1)
    return make_batch(
        first_seq,
        *(
            make_entry(camera_id, 0, 1, at=begun_at + timedelta(milliseconds=seq))
            for seq in range(first_seq, first_seq + n_entries)
        ),
    )


def through(welcome: Welcome) -> int:
    return next(cursor.through_seq for cursor in welcome.cursors if cursor.lane == "results")


async def send_all(line: Line, welcome: Welcome, last_seq: int) -> None:
    """Send what the hub lacks, some batches ahead of its acks, until it has all."""
    acked = sent = through(welcome)
    while acked < last_seq:
        while sent < last_seq and sent - acked < WINDOW * PER_BATCH:
            await line.say(batch(welcome, sent + 1))
            sent += PER_BATCH
        ack = await line.hear()
        if isinstance(ack, Ack):
            assert ack.rejected == ()
            acked = ack.through_seq


async def test_a_hub_killed_at_any_moment_stores_every_result_once(hub: Hub) -> None:
    agent = await asyncio.to_thread(joined, hub)
    dice = random.Random(7)
    last_seq, n_kills = 6_000, 0
    is_done = False
    while not is_done:
        try:
            async with connected(hub, agent) as (line, welcome), asyncio.timeout(60):
                sending = asyncio.create_task(send_all(line, welcome, last_seq))
                if n_kills < 4:
                    await asyncio.wait({sending}, timeout=dice.uniform(0.02, 0.25))
                    hub.web.kill()
                    n_kills += 1
                await sending
                is_done = True
        except (ConnectionClosed, OSError):
            await asyncio.to_thread(hub.start)
    rows = await asyncio.to_thread(stored_rows, hub)
    counts = Counter(row.key.seq for row in rows)
    assert counts == Counter(range(1, last_seq + 1))


async def test_words_and_a_close_code_reach_the_agent(standing: tuple[Hub, Enrolled]) -> None:
    hub, agent = standing
    async with connected(hub, agent) as (line, welcome):
        await line.say(batch(welcome, 1, MAX_ENTRIES + 1))
        refused = await line.hear()
        assert isinstance(refused, Refused)
        assert refused.code == "malformed"
        with pytest.raises(ConnectionClosed) as closed:
            await line.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4400


@pytest.mark.parametrize(
    ("n_bytes", "code"),
    [
        pytest.param(MAX_MESSAGE_BYTES, "malformed", id="limit"),
        pytest.param(MAX_MESSAGE_BYTES + 1, "too_large", id="beyond"),
        pytest.param(2**20 + 1, None, id="beyond-the-server"),
        pytest.param(50 * 2**20, None, id="far-beyond"),
    ],
)
async def test_a_message_beyond_its_limit_ends_the_connection(
    standing: tuple[Hub, Enrolled], n_bytes: int, code: str | None
) -> None:
    hub, agent = standing
    async with connected(hub, agent) as (line, _):
        try:
            await line.say_bytes(bytes(n_bytes))
            answer = await line.hear()
        except ConnectionClosed:
            assert code is None
        else:
            assert isinstance(answer, Refused)
            assert answer.code == code
    async with connected(hub, agent) as (line, welcome):  # and it is as well as before
        await line.say(batch(welcome, through(welcome) + 1))
        assert isinstance(await line.hear(), Ack)


async def test_a_path_without_a_socket_is_refused(standing: tuple[Hub, Enrolled]) -> None:
    hub, _ = standing
    for path in ("/", "/agent/wsx", "/live/"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{hub.port}{path}", proxy=None)
        assert refused.value.response.status_code == 403


async def test_a_hub_that_is_told_to_stop_stops(standing: tuple[Hub, Enrolled]) -> None:
    hub, agent = standing
    async with connected(hub, agent) as (line, welcome), dialled(hub):
        await line.say(batch(welcome, through(welcome) + 1))
        assert isinstance(await line.hear(), Ack)
        n_told = await asyncio.to_thread(comings_and_goings, hub)
        try:
            assert await asyncio.to_thread(hub.web.stop) == 0
        finally:
            await asyncio.to_thread(hub.start)
    async with connected(hub, agent):  # that it was sent away for a moment is no news
        assert await asyncio.to_thread(comings_and_goings, hub) == n_told
