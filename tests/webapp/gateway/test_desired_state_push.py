"""A change of what is wanted reaches the agent, whoever made it."""

from processing.wire.messages import DesiredState
from tests.factories import START
from tests.webapp.gateway.double import connect, make_batch, make_entry
from webapp.fleet.actions import add_camera, remove_camera, update_camera
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.gateway.database import DatabaseThread
from webapp.gateway.gateway import Gateway
from webapp.gateway.socket import AgentSocket


async def test_it_works(app: AgentSocket, agent: Agent, database: DatabaseThread) -> None:
    socket, welcome = await connect(app, agent.id)
    assert welcome.desired == DesiredState(version=1)
    camera = await database.call(add_camera, agent, at=START, name="Gate", source="usb:0")
    pushed = await socket.hear(DesiredState)
    assert (pushed.version, [told.name for told in pushed.cameras]) == (2, ["Gate"])
    await database.call(update_camera, camera, at=START, is_enabled=False)
    pushed = await socket.hear(DesiredState)
    assert (pushed.version, pushed.cameras[0].is_enabled) == (3, False)
    await socket.leave()


async def test_of_many_changes_the_last_is_told(
    app: AgentSocket, agent: Agent, camera: Camera, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)

    def change_often() -> None:
        for number in range(10):
            update_camera(camera, at=START, name=f"Gate {number}")

    await database.call(change_often)
    while (pushed := await socket.hear(DesiredState)).version < 11:
        pass
    assert pushed.cameras[0].name == "Gate 9"
    await socket.leave()


async def test_results_of_a_camera_added_while_connected_are_taken(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    socket.say(make_batch(1, make_entry(camera.id)))
    await socket.hear_ack("results", 1)
    added = await database.call(add_camera, agent, at=START, name="Door", source="usb:1")
    await socket.hear(DesiredState)
    socket.say(make_batch(2, make_entry(added.id)))
    assert (await socket.hear_ack("results", 2)).rejected == ()
    await socket.leave()


async def test_results_of_a_camera_removed_while_connected_are_rejected(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    socket.say(make_batch(1, make_entry(camera.id)))
    await socket.hear_ack("results", 1)
    gone = camera.id
    await database.call(remove_camera, camera, at=START)
    socket.say(make_batch(2, make_entry(gone)))
    message = await socket.hear_any()
    if isinstance(message, DesiredState):  # either may come first
        message = await socket.hear_any()
    (rejection,) = message.rejected  # type: ignore[union-attr]  # an ack
    assert rejection.code == "unknown_camera"
    await socket.leave()


async def test_nobody_is_asked_about_while_nobody_is_connected(gateway: Gateway) -> None:
    gateway.start()
    assert len(gateway.connections) == 0
