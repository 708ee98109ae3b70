"""Pictures travel while somebody looks, and only then."""

import msgspec

from processing.wire.browser import PictureHeader
from processing.wire.messages import LiveDemand, LivePicture
from tests.factories import JPEG, START, make_detections
from tests.webapp.gateway.double import connect
from webapp.common.broadcast import Broadcast
from webapp.fleet.models import Agent, Camera
from webapp.gateway.gateway import Gateway
from webapp.gateway.socket import AgentSocket


def picture(camera: Camera, detections: bytes = b"") -> LivePicture:
    return LivePicture(
        camera_id=camera.id,
        captured_at=START,
        width=640,
        height=272,
        bundle=bytes(16),
        detections=detections,
        jpeg=JPEG,
    )


async def test_it_works(
    app: AgentSocket, agent: Agent, camera: Camera, audience: Broadcast
) -> None:
    socket, _ = await connect(app, agent.id)
    with audience.subscribed(("camera", camera.id)) as mailbox:
        demand = await socket.hear(LiveDemand)
        assert [view.camera_id for view in demand.views] == [camera.id]
        detections = make_detections(0, 2)
        socket.say(picture(camera, detections))
        (payload,) = await mailbox.take()
        assert isinstance(payload, bytes)
        n_header = int.from_bytes(payload[:4], "little")
        header = msgspec.json.decode(payload[4 : 4 + n_header], type=PictureHeader)
        assert (header.camera_id, header.n_detections, header.width) == (camera.id, 2, 640)
        assert payload[4 + n_header :] == detections + JPEG
    assert (await socket.hear(LiveDemand)).views == ()
    await socket.leave()


async def test_an_agent_that_connects_hears_who_looks_already(
    app: AgentSocket, agent: Agent, camera: Camera, audience: Broadcast, gateway: Gateway
) -> None:
    gateway.start()
    with audience.subscribed(("camera", camera.id)):
        socket, _ = await connect(app, agent.id)
        assert [view.camera_id for view in (await socket.hear(LiveDemand)).views] == [camera.id]
        await gateway.renew_demands()
        assert (await socket.hear(LiveDemand)).views
        await socket.leave()


async def test_nobody_is_asked_for_what_nobody_looks_at(
    app: AgentSocket, agent: Agent, camera: Camera, gateway: Gateway
) -> None:
    socket, _ = await connect(app, agent.id)
    await gateway.renew_demands()
    assert await socket.is_silent()
    await socket.leave()


async def test_an_agent_shows_its_own_cameras_only(
    app: AgentSocket, agent: Agent, other_agent: Agent, camera: Camera, audience: Broadcast
) -> None:
    own, _ = await connect(app, agent.id)
    foreign, _ = await connect(app, other_agent.id)
    with audience.subscribed(("camera", camera.id)) as mailbox:
        await own.hear(LiveDemand)
        foreign.say(picture(camera, make_detections(0)))
        await foreign.leave()
        own.say(picture(camera))
        (payload,) = await mailbox.take()
        assert isinstance(payload, bytes)
        assert b'"n_detections":0' in payload
    await own.leave()


async def test_a_picture_with_broken_boxes_is_refused(
    app: AgentSocket, agent: Agent, camera: Camera, audience: Broadcast
) -> None:
    socket, _ = await connect(app, agent.id)
    with audience.subscribed(("camera", camera.id)):
        await socket.hear(LiveDemand)
        socket.say(picture(camera, b"x"))
        await socket.be_refused("malformed")
