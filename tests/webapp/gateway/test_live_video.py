"""Video travels while somebody looks; the hub keeps none of it, and refuses what is not video."""

import msgspec
import pytest

from processing.wire.browser import BoxesHeader, VideoHeader
from processing.wire.messages import LiveBoxes, LiveDemand, LivePicture, LiveVideo
from tests.factories import JPEG, START, make_detections
from tests.webapp.gateway.double import connect
from webapp.common.broadcast import Broadcast
from webapp.dashboard.reel import Reel
from webapp.fleet.models import Agent, Camera
from webapp.gateway.socket import AgentSocket

INIT = b"init"
FRAGMENT = b"moof and mdat of a picture"


def video(camera: Camera, number: int, *, is_key: bool = False) -> LiveVideo:
    return LiveVideo(
        camera_id=camera.id,
        captured_at=START,
        number=number,
        at_s=number / 10,
        fragment=FRAGMENT,
        width=640,
        height=360,
        codec="avc1.42c00b" if is_key else "",
        init=INIT if is_key else b"",
    )


def head_of(payload: bytes | str, kind: type[msgspec.Struct]) -> tuple[msgspec.Struct, bytes]:
    """Return the head of a binary frame and what follows it."""
    assert isinstance(payload, bytes)
    at = 4 + int.from_bytes(payload[:4], "little")
    return msgspec.json.decode(payload[4:at], type=kind), payload[at:]


async def test_it_works(
    app: AgentSocket, agent: Agent, camera: Camera, audience: Broadcast
) -> None:
    topic = ("video", camera.id)
    socket, _ = await connect(app, agent.id)
    with audience.subscribed(topic, mailbox=Reel()) as reel:
        (view,) = (await socket.hear(LiveDemand)).views
        assert (view.camera_id, view.has_video, view.has_pictures) == (camera.id, True, False)
        detections = make_detections(0, 2)
        socket.say(video(camera, 1, is_key=True))
        socket.say(
            LiveBoxes(
                camera_id=camera.id, captured_at=START, bundle=bytes(16), detections=detections
            )
        )
        socket.say(video(camera, 2))
        taken: list[bytes | str] = []
        while len(taken) < 3:
            taken += await reel.take()
        header, rest = head_of(taken[0], VideoHeader)
        assert isinstance(header, VideoHeader)
        assert (header.number, header.n_init, header.codec) == (1, len(INIT), "avc1.42c00b")
        assert rest == INIT + FRAGMENT
        boxes, rest = head_of(taken[1], BoxesHeader)
        assert isinstance(boxes, BoxesHeader)
        assert (boxes.n_detections, rest) == (2, detections)
        header, rest = head_of(taken[2], VideoHeader)
        assert isinstance(header, VideoHeader)
        assert (header.number, header.n_init, rest) == (2, 0, FRAGMENT)
    assert (await socket.hear(LiveDemand)).views == ()
    await socket.leave()


async def test_an_agent_hears_who_wants_pictures_too(
    app: AgentSocket, agent: Agent, camera: Camera, audience: Broadcast
) -> None:
    socket, _ = await connect(app, agent.id)
    with audience.subscribed(("video", camera.id)):
        await socket.hear(LiveDemand)
        with audience.subscribed(("camera", camera.id)):
            (view,) = (await socket.hear(LiveDemand)).views
            assert (view.has_video, view.has_pictures, view.max_width) == (True, True, 960)
    await socket.leave()


async def test_who_looks_large_sees_the_main_stream_and_others_what_is_analysed(
    app: AgentSocket, agent: Agent, camera: Camera, audience: Broadcast
) -> None:
    socket, _ = await connect(app, agent.id)
    with audience.subscribed(("main", camera.id), mailbox=Reel()) as large:
        (view,) = (await socket.hear(LiveDemand)).views
        assert (view.has_main_video, view.has_video, view.has_pictures) == (True, False, False)
        with audience.subscribed(("video", camera.id), mailbox=Reel()) as usual:
            (view,) = (await socket.hear(LiveDemand)).views
            assert (view.has_main_video, view.has_video) == (True, True)
            socket.say(video(camera, 1, is_key=True))
            socket.say(msgspec.structs.replace(video(camera, 9, is_key=True), is_main=True))
            boxes = LiveBoxes(
                camera_id=camera.id, captured_at=START, bundle=bytes(16), detections=b""
            )
            socket.say(boxes)
            for reel, number in ((large, 9), (usual, 1)):
                taken: list[bytes | str] = []
                while len(taken) < 2:
                    taken += await reel.take()
                header, _rest = head_of(taken[0], VideoHeader)
                assert isinstance(header, VideoHeader)
                assert header.number == number
                head_of(taken[1], BoxesHeader)
        (view,) = (await socket.hear(LiveDemand)).views
        assert (view.has_main_video, view.has_video) == (True, False)
    assert (await socket.hear(LiveDemand)).views == ()
    await socket.leave()


async def test_pictures_are_as_small_as_the_largest_who_looks(
    app: AgentSocket, agent: Agent, camera: Camera, audience: Broadcast
) -> None:
    socket, _ = await connect(app, agent.id)
    with audience.subscribed(("small", camera.id)) as small:
        (view,) = (await socket.hear(LiveDemand)).views
        assert (view.max_width, view.max_fps, view.has_video) == (480, 5.0, False)
        with audience.subscribed(("camera", camera.id)) as large:
            (view,) = (await socket.hear(LiveDemand)).views
            assert (view.max_width, view.max_fps) == (960, 10.0)
            socket.say(
                LivePicture(
                    camera_id=camera.id, captured_at=START, width=960, height=540,
                    bundle=bytes(16), detections=b"", jpeg=JPEG,
                )
            )  # fmt: skip
            assert await large.take() == await small.take()
    await socket.leave()


async def test_another_agents_camera_is_not_shown(
    app: AgentSocket, agent: Agent, other_agent: Agent, camera: Camera, audience: Broadcast
) -> None:
    own, _ = await connect(app, agent.id)
    foreign, _ = await connect(app, other_agent.id)
    with audience.subscribed(("video", camera.id), mailbox=Reel()) as reel:
        await own.hear(LiveDemand)
        foreign.say(video(camera, 7, is_key=True))
        await foreign.leave()
        own.say(video(camera, 1, is_key=True))
        (payload,) = await reel.take()
        header, _rest = head_of(payload, VideoHeader)
        assert isinstance(header, VideoHeader)
        assert header.number == 1
    await own.leave()


@pytest.mark.parametrize(
    ("codec", "init"), [("avc1.42c00b", b""), ("", INIT)], ids=["no init", "no codec"]
)
async def test_half_a_key_picture_is_refused(
    app: AgentSocket, agent: Agent, camera: Camera, codec: str, init: bytes
) -> None:
    socket, _ = await connect(app, agent.id)
    whole = video(camera, 1, is_key=True)
    socket.say(msgspec.structs.replace(whole, codec=codec, init=init))
    await socket.be_refused("malformed")


async def test_a_codec_that_is_no_codec_is_refused(
    app: AgentSocket, agent: Agent, camera: Camera
) -> None:
    socket, _ = await connect(app, agent.id)
    whole = video(camera, 1, is_key=True)
    socket.say(msgspec.structs.replace(whole, codec='avc1"; <script>'))
    await socket.be_refused("malformed")


async def test_broken_boxes_are_refused(
    app: AgentSocket, agent: Agent, camera: Camera, audience: Broadcast
) -> None:
    socket, _ = await connect(app, agent.id)
    with audience.subscribed(("video", camera.id)):
        await socket.hear(LiveDemand)
        socket.say(
            LiveBoxes(camera_id=camera.id, captured_at=START, bundle=bytes(16), detections=b"x")
        )
        await socket.be_refused("malformed")
