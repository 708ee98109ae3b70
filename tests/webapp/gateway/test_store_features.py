"""What frames were like comes with their results, and counts as often as they do: once."""

from processing.wire.messages import Ack, CameraState, FrameFeatures, ImageState, StateReport
from tests.factories import START, make_camera
from tests.webapp.gateway.double import connect, make_batch, make_entry
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.gateway.database import DatabaseThread
from webapp.gateway.socket import AgentSocket
from webapp.monitoring.models import FeatureHour, FeatureMinute
from webapp.monitoring.sketches import Sketch
from webapp.results.models import LostRange

FEATURES = FrameFeatures(0.5, 0.2, 120.0, 2.5, 0.01)
IMAGE = ImageState(brightness=0.1, contrast=0.2, sharpness=120.0, noise=2.5, motion=0.0)


async def test_it_works(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    told = make_entry(camera.id, 0, features=FEATURES)
    batch = make_batch(1, told, make_entry(camera.id, 0))
    for entries in (batch, batch, make_batch(2, make_entry(camera.id, 0), told)):
        socket.say(entries)
        await socket.hear(Ack)

    def check() -> None:
        minute, hour = FeatureMinute.objects.get(), FeatureHour.objects.get()
        assert (minute.begins_at, minute.n_frames, hour.n_frames) == (START, 2, 2)
        assert Sketch.decode(bytes(hour.sharpness)) == Sketch.of([120.0, 120.0])

    await database.call(check)
    await socket.leave()


async def test_features_that_no_picture_has_are_refused(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    features = FrameFeatures(0.5, 0.2, float("inf"), 2.5, 0.01)
    socket.say(make_batch(1, make_entry(camera.id, 0, features=features), make_entry(camera.id)))
    (rejection,) = (await socket.hear(Ack)).rejected
    assert (rejection.seq, rejection.code) == (1, "bad_picture")
    assert (await database.call(LostRange.objects.get)).n_entries == 1
    assert not await database.call(FeatureMinute.objects.exists)
    await socket.leave()


async def test_of_a_camera_whose_frames_are_gated_the_reports_tell(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    still = await database.call(make_camera, agent)
    socket, _ = await connect(app, agent.id)
    states = (
        CameraState(camera_id=each.id, state="online", since_at=START, n_gated=n_gated, image=IMAGE)
        for each, n_gated in ((camera, 0), (still, 7))
    )
    socket.say(StateReport(at=START, desired_version=1, cameras=tuple(states)))
    socket.say(make_batch(1_000_000, make_entry(camera.id)))
    await socket.hear(Ack)
    minute = await database.call(FeatureMinute.objects.get)
    assert minute.camera_id == still.id
    assert Sketch.decode(bytes(minute.brightness)) == Sketch.of([0.1])
    await socket.leave()
