"""What agents say of themselves, as people see it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from processing.wire.messages import Ack, BundleState, CameraState, LaneState, StateReport
from tests.factories import START, Clock
from tests.webapp.gateway.double import Socket, connect, make_batch, make_entry
from webapp.common.models import Change
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.gateway.database import DatabaseThread
from webapp.gateway.gateway import Gateway
from webapp.gateway.socket import AgentSocket

DIGEST = bytes(15) + b"\x01"


def make_report(camera: Camera, **fields: Any) -> StateReport:
    state: dict[str, Any] = {
        "camera_id": camera.id,
        "state": "online",
        "since_at": START,
        "fps": 9.5,
        "n_frames": 100,
        "n_dropped": 3,
        "width": 640,
        "height": 272,
    }
    return StateReport(at=START, desired_version=1, cameras=(CameraState(**(state | fields)),))


async def reported(socket: Socket, report: StateReport) -> None:
    """Send a report and wait until it is written: a hole behind it is answered after it."""
    socket.say(report)
    socket.say(make_batch(1_000_000, make_entry(report.cameras[0].camera_id)))
    await socket.hear(Ack)


async def test_it_works(
    app: AgentSocket, agent: Agent, camera: Camera, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    report = StateReport(
        at=START,
        desired_version=1,
        cameras=make_report(camera).cameras,
        bundles=(BundleState(digest=DIGEST, name="nanodet-g", version="2", labels=("a", "b")),),
        lanes=(LaneState(lane="results", n_pending=7), LaneState(lane="media", n_pending=2)),
        problems=("the disk is nearly full",),
    )
    await reported(socket, report)
    await database.call(agent.refresh_from_db)
    assert (agent.reported_version, agent.n_pending) == (1, 9)
    assert agent.problems == ["the disk is nearly full"]
    await database.call(camera.refresh_from_db)
    assert (camera.state, camera.fps, camera.n_frames, camera.n_dropped) == (
        "online", 9.5, 100, 3,
    )  # fmt: skip
    assert (camera.width, camera.height, camera.state_since_at) == (640, 272, START)
    bundle = await database.call(Bundle.objects.get)
    assert (bundle.digest, bundle.name, bundle.labels) == (DIGEST.hex(), "nanodet-g", ["a", "b"])
    await socket.leave()


async def test_pages_hear_of_transitions_alone(
    app: AgentSocket, agent: Agent, camera: Camera, clock: Clock, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)

    async def topics_after(report: StateReport) -> list[str]:
        await database.call(lambda: Change.objects.all().delete())
        clock.advance(seconds=2)
        await reported(socket, report)
        return await database.call(lambda: sorted(Change.objects.values_list("topic", flat=True)))

    assert await topics_after(make_report(camera)) == ["cameras"]
    assert await topics_after(make_report(camera, n_frames=200)) == []
    lost = make_report(camera, state="unreachable", reason="no route to host")
    assert await topics_after(lost) == ["cameras"]
    await database.call(camera.refresh_from_db)
    assert (camera.state, camera.state_reason) == ("unreachable", "no route to host")
    await socket.leave()


async def test_reports_are_written_once_a_second_and_the_newest_wins(
    app: AgentSocket,
    agent: Agent,
    camera: Camera,
    clock: Clock,
    gateway: Gateway,
    database: DatabaseThread,
) -> None:
    socket, _ = await connect(app, agent.id)
    await reported(socket, make_report(camera, n_frames=1))
    for n_frames in range(2, 50):
        await reported(socket, make_report(camera, n_frames=n_frames))
    await database.call(camera.refresh_from_db)
    assert camera.n_frames == 1
    clock.advance(seconds=1)
    await gateway.flush_reports()
    await reported(socket, make_report(camera, n_frames=50))
    await database.call(camera.refresh_from_db)
    assert camera.n_frames == 49
    await socket.leave()


async def test_words_and_figures_that_no_table_holds_are_made_to_fit(
    app: AgentSocket, agent: Agent, camera: Camera, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id, software="test\x00\x1b[31m")
    await reported(
        socket,
        make_report(
            camera,
            reason="no\x00route",
            fps=float("inf"),
            n_frames=2**64 - 1,
            width=2**40,
            since_at=datetime(1, 1, 1, tzinfo=UTC),
        ),
    )
    await database.call(agent.refresh_from_db)
    assert agent.software == "test\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31m"
    await database.call(camera.refresh_from_db)
    assert camera.state_reason == "no\N{REPLACEMENT CHARACTER}route"
    assert (camera.fps, camera.n_frames, camera.width) == (0.0, 2**31 - 1, 2**31 - 1)
    assert camera.state_since_at == START
    await socket.leave()


async def test_a_foreign_camera_is_left_alone(
    app: AgentSocket, agent: Agent, other_agent: Agent, camera: Camera, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, other_agent.id)
    await reported(socket, make_report(camera))
    await database.call(camera.refresh_from_db)
    assert camera.state == "unknown"
    await socket.leave()


async def test_a_bundle_is_named_once(
    app: AgentSocket, agent: Agent, camera: Camera, clock: Clock, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    socket.say(make_batch(1, make_entry(camera.id, 79)))
    await socket.hear_ack("results", 1)
    for name in ("first", "second"):
        clock.advance(seconds=2)
        report = StateReport(
            at=START,
            desired_version=1,
            cameras=make_report(camera).cameras,
            bundles=(BundleState(digest=DIGEST, name=name, version="1", labels=("a",)),),
        )
        await reported(socket, report)
    bundle = await database.call(Bundle.objects.get)
    assert (bundle.name, bundle.labels) == ("first", ["a"])
    # From here on labels are checked against its names.
    socket.say(make_batch(2, make_entry(camera.id, 79)))
    (rejection,) = (await socket.hear_ack("results", 2)).rejected
    assert rejection.code == "bad_detections"
    await socket.leave()


async def test_a_heartbeat_keeps_an_agent_online(
    app: AgentSocket, agent: Agent, camera: Camera, clock: Clock, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    at = clock.advance(seconds=29)
    await reported(socket, make_report(camera))
    await database.call(agent.refresh_from_db)
    assert agent.last_seen_at == at
    assert agent.is_online(at=at + timedelta(seconds=30))
    assert not agent.is_online(at=at + timedelta(seconds=31))
    await socket.leave()
