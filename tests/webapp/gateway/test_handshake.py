"""An agent is let in by its key, and by nothing else."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from django.db import DataError, OperationalError

from processing.wire.codec import SUBPROTOCOL, SUBPROTOCOL_JSON
from processing.wire.messages import PROTOCOL, Challenge, Cursor, Welcome
from tests.factories import START, agent_key
from tests.webapp.gateway.double import Closed, Socket, connect, make_hello
from webapp.accounts.models import User
from webapp.events.models import Event
from webapp.fleet import actions as fleet
from webapp.fleet.actions import revoke_agent
from webapp.fleet.models import Agent, Camera
from webapp.gateway import handshake, line
from webapp.gateway import socket as agent_sockets
from webapp.gateway.database import DatabaseThread
from webapp.gateway.gateway import Gateway
from webapp.gateway.handshake import Admission, Caller, Doorkeeper
from webapp.gateway.refusal import Refusal
from webapp.gateway.socket import AgentSocket


async def events(database: DatabaseThread) -> list[tuple[str, str]]:
    return await database.call(
        lambda: list(Event.objects.order_by("id").values_list("kind", "detail"))
    )


async def test_it_works(
    app: AgentSocket, agent: Agent, camera: Camera, database: DatabaseThread
) -> None:
    socket, welcome = await connect(app, agent.id)
    assert welcome.agent_name == "Quay 1"
    assert [told.camera_id for told in welcome.desired.cameras] == [camera.id]
    assert welcome.cursors == tuple(
        Cursor(lane=lane, epoch=1, through_seq=0)
        for lane in ("alerts", "events", "results", "media")
    )
    await database.call(agent.refresh_from_db)
    assert (agent.is_connected, agent.session, agent.software) == (True, 1, "test 1")
    await socket.leave()
    await database.call(agent.refresh_from_db)
    assert not agent.is_connected
    assert [kind for kind, _ in await events(database)] == ["agent_online", "agent_offline"]


async def test_it_works_in_json(app: AgentSocket, agent: Agent) -> None:
    socket = Socket(app, subprotocols=[SUBPROTOCOL_JSON])
    assert await socket.accepted() == SUBPROTOCOL_JSON
    socket.say(make_hello(await socket.hear(Challenge), agent.id))
    assert (await socket.hear(Welcome)).agent_name == "Quay 1"
    await socket.leave()


async def test_the_hub_prefers_msgpack(app: AgentSocket, agent: Agent) -> None:
    socket = Socket(app, subprotocols=[SUBPROTOCOL, SUBPROTOCOL_JSON])
    assert await socket.accepted() == SUBPROTOCOL
    await socket.leave()


@pytest.mark.parametrize("subprotocols", [(), ("farwatch.v9",)], ids=["none", "unknown"])
async def test_without_a_common_subprotocol_there_is_no_socket(
    app: AgentSocket, subprotocols: tuple[str, ...]
) -> None:
    with pytest.raises(Closed):
        await Socket(app, subprotocols=subprotocols).accepted()


async def test_a_browser_is_turned_away(app: AgentSocket) -> None:
    with pytest.raises(Closed):
        await Socket(app, headers=[(b"cookie", b"sessionid=1")]).accepted()


async def test_an_unknown_agent_is_told_so(app: AgentSocket) -> None:
    socket = Socket(app)
    await socket.accepted()
    socket.say(make_hello(await socket.hear(Challenge), uuid4()))
    assert (await socket.be_refused("unknown_agent")).is_final


async def test_another_key_is_refused_and_people_are_told_once(
    app: AgentSocket, agent: Agent, database: DatabaseThread
) -> None:
    for _ in range(3):
        socket = Socket(app)
        await socket.accepted()
        challenge = await socket.hear(Challenge)
        stolen = make_hello(challenge, agent.id, signature=agent_key(uuid4()).sign(b"anything"))
        socket.say(stolen)
        assert (await socket.be_refused("bad_signature")).is_final
    assert [kind for kind, _ in await events(database)] == ["agent_refused"]


@pytest.mark.parametrize("field", ["agent_id", "epoch"])
async def test_no_field_of_a_signed_hello_can_be_changed(
    app: AgentSocket, agent: Agent, other_agent: Agent, field: str
) -> None:
    socket = Socket(app)
    await socket.accepted()
    hello = make_hello(await socket.hear(Challenge), agent.id)
    changed = {"agent_id": other_agent.id, "epoch": 2}
    socket.say(msgspec.structs.replace(hello, **{field: changed[field]}))
    await socket.be_refused("bad_signature")


async def test_a_recorded_hello_opens_nothing(app: AgentSocket, agent: Agent) -> None:
    first = Socket(app)
    await first.accepted()
    recorded = make_hello(await first.hear(Challenge), agent.id)
    first.say(recorded)
    await first.hear(Welcome)
    second = Socket(app)
    await second.accepted()
    await second.hear(Challenge)
    second.say(recorded)
    await second.be_refused("bad_signature")
    await first.leave()


async def test_a_revoked_agent_is_refused(
    app: AgentSocket, agent: Agent, alice: User, database: DatabaseThread
) -> None:
    await database.call(revoke_agent, agent, by=alice, at=START)
    socket = Socket(app)
    await socket.accepted()
    socket.say(make_hello(await socket.hear(Challenge), agent.id))
    assert (await socket.be_refused("revoked")).is_final


async def test_another_protocol_is_refused(app: AgentSocket, agent: Agent) -> None:
    socket = Socket(app)
    await socket.accepted()
    socket.say(make_hello(await socket.hear(Challenge), agent.id, protocol=2))
    assert "protocol 2" in (await socket.be_refused("protocol")).detail


@pytest.mark.parametrize(("off_s", "words"), [(121, "ahead of"), (-121, "behind")])
async def test_a_wrong_clock_is_refused_in_words(
    app: AgentSocket, agent: Agent, database: DatabaseThread, off_s: int, words: str
) -> None:
    socket = Socket(app)
    await socket.accepted()
    challenge = await socket.hear(Challenge)
    socket.say(make_hello(challenge, agent.id, clock_at=START + timedelta(seconds=off_s)))
    refused = await socket.be_refused("clock_off")
    assert f"the agent's clock is 121 s {words} the hub's" in refused.detail
    assert not refused.is_final
    assert await events(database) == [("agent_refused", refused.detail)]


async def test_a_clock_that_is_a_little_off_is_noted(
    app: AgentSocket, agent: Agent, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id, clock_at=START + timedelta(seconds=119))
    await database.call(agent.refresh_from_db)
    assert agent.clock_offset_ms == 119_000
    await socket.leave()


async def test_what_is_no_hello_is_refused(app: AgentSocket) -> None:
    socket = Socket(app)
    await socket.accepted()
    await socket.hear(Challenge)
    socket.say_bytes(b"\xffnonsense")
    await socket.be_refused("malformed")


async def test_who_says_nothing_is_sent_away(
    app: AgentSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_sockets, "HANDSHAKE_TIMEOUT_S", 0.05)
    socket = Socket(app)
    await socket.accepted()
    await socket.hear(Challenge)
    await socket.be_refused("timeout")


async def test_so_many_may_be_at_the_door(
    app: AgentSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "MOST_GREETED", 1)
    monkeypatch.setattr(line, "MOST_WAITING", 0)
    first, second = Socket(app), Socket(app)
    await first.accepted()
    with pytest.raises(Closed):
        await second.accepted()
    await first.leave()


async def test_an_agent_whose_row_cannot_be_written_keeps_no_other_out(
    agent: Agent, other_agent: Agent, monkeypatch: pytest.MonkeyPatch, database: DatabaseThread
) -> None:
    def open_sessions(openings: Sequence[fleet.Opening]) -> list[fleet.Opening]:
        if any(opening.agent.id == other_agent.id for opening in openings):
            raise DataError("a value that the database cannot keep")
        return fleet.open_sessions(openings)

    monkeypatch.setattr(handshake, "open_sessions", open_sessions)
    challenge = Challenge(protocol=PROTOCOL, hub_id=uuid4(), nonce=bytes(32), server_at=START)
    callers = [
        Caller(make_hello(challenge, agent_id), challenge, START)
        for agent_id in (agent.id, other_agent.id)
    ]
    let_in, refused = await database.call(Doorkeeper().admit_all, callers)
    assert isinstance(let_in, Admission)
    assert isinstance(refused, Refusal)
    assert refused.code == "malformed"


async def test_while_the_database_is_away_agents_are_asked_to_come_later(
    app: AgentSocket, agent: Agent, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise OperationalError("the server is gone")

    socket = Socket(app)
    await socket.accepted()
    challenge = await socket.hear(Challenge)
    monkeypatch.setattr(gateway, "admit", fail)
    socket.say(make_hello(challenge, agent.id))
    with pytest.raises(Closed) as closed:
        await socket.hear_any()
    assert closed.value.code == 1013
    await socket.leave()


async def test_a_second_connection_supersedes_the_first(
    app: AgentSocket, agent: Agent, database: DatabaseThread
) -> None:
    first, _ = await connect(app, agent.id)
    second, _ = await connect(app, agent.id)
    assert not (await first.be_refused("superseded")).is_final
    assert await second.is_silent()
    await database.call(agent.refresh_from_db)
    assert (agent.is_connected, agent.session) == (True, 2)
    await second.leave()
    assert [kind for kind, _ in await events(database)] == ["agent_online", "agent_offline"]
