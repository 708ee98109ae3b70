"""What agents tell people arrives once, in two lanes of its own."""

from datetime import timedelta

import msgspec

from processing.wire.messages import EventBatch, EventRaised
from tests.factories import START
from tests.webapp.gateway.double import connect, make_batch, make_entry
from webapp.common.models import Change
from webapp.events.models import Event
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.gateway.database import DatabaseThread
from webapp.gateway.socket import AgentSocket

RAISED = EventRaised(kind="camera_lost", occurred_at=START, title="Gate is gone", severity="error")


async def test_it_works(
    app: AgentSocket, agent: Agent, camera: Camera, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    raised = msgspec.structs.replace(RAISED, camera_id=camera.id, detail="no route")
    socket.say(EventBatch(epoch=1, first_seq=1, lane="alerts", entries=(raised,)))
    await socket.hear_ack("alerts", 1)

    def check() -> None:
        event = Event.objects.get(kind="camera_lost")
        assert (event.organization_id, event.agent, event.camera) == (
            agent.organization_id, agent, camera,
        )  # fmt: skip
        assert (event.title, event.detail, event.severity) == ("Gate is gone", "no route", "error")
        assert (event.occurred_at, event.received_at) == (START, START)
        assert (event.epoch, event.lane, event.seq) == (1, "alerts", 1)
        assert Change.objects.filter(topic="events").exists()

    await database.call(check)
    await socket.leave()


async def test_lanes_are_numbered_apart_and_repeats_change_nothing(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    for _ in range(2):
        socket.say(EventBatch(epoch=1, first_seq=1, lane="alerts", entries=(RAISED, RAISED)))
        await socket.hear_ack("alerts", 2)
        socket.say(EventBatch(epoch=1, first_seq=1, lane="events", entries=(RAISED,)))
        await socket.hear_ack("events", 1)
        socket.say(make_batch(1, make_entry(camera.id)))
        await socket.hear_ack("results", 1)
    assert await database.call(Event.objects.filter(kind="camera_lost").count) == 3
    await socket.leave()


async def test_what_cannot_be_true_is_rejected(
    app: AgentSocket, agent: Agent, other_agent: Agent, camera: Camera, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, other_agent.id)
    foreign = msgspec.structs.replace(RAISED, camera_id=camera.id)
    future = msgspec.structs.replace(RAISED, occurred_at=START + timedelta(hours=1))
    socket.say(EventBatch(epoch=1, first_seq=1, lane="events", entries=(foreign, future, RAISED)))
    ack = await socket.hear_ack("events", 3)
    assert [rejection.code for rejection in ack.rejected] == ["unknown_camera", "from_the_future"]
    assert await database.call(Event.objects.filter(kind="camera_lost").count) == 1
    await socket.leave()


async def test_words_keep_no_control_characters(
    app: AgentSocket, agent: Agent, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    raised = msgspec.structs.replace(RAISED, title="a\x00b", detail="\x1b[2J", kind="k\x07")
    socket.say(EventBatch(epoch=1, first_seq=1, lane="events", entries=(raised,)))
    await socket.hear_ack("events", 1)
    event = await database.call(Event.objects.exclude(kind="agent_online").get)
    assert (event.title, event.detail, event.kind) == ("a\ufffdb", "\ufffd[2J", "k\ufffd")
    await socket.leave()
