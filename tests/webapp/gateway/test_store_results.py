"""Results are stored once, counted exactly, and acknowledged after that."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import msgspec
import pytest

from processing.wire.limits import MAX_ENTRIES
from processing.wire.messages import Ack, Entered, Gap
from tests.factories import START, Clock, make_agent, make_camera, make_detections
from tests.webapp.gateway.double import connect, make_batch, make_entry
from webapp.accounts.models import Organization
from webapp.events.models import Event
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.gateway.database import DatabaseThread
from webapp.gateway.socket import AgentSocket
from webapp.results.models import CameraMinute, LabelMinute, LostRange, Result, ZoneMinute

ZONE = UUID(int=1)


def stored() -> list[int]:
    return list(Result.objects.order_by("seq").values_list("seq", flat=True))


def label_minutes() -> dict[int, list[int]]:
    rows = LabelMinute.objects.values_list("label", "n_detections", "n_tracks", "peak")
    return {label: figures for label, *figures in rows}


async def test_it_works(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    later = START + timedelta(minutes=1, microseconds=250)
    socket.say(make_batch(1, make_entry(camera.id, 0, 0, 2), make_entry(camera.id, 0, at=later)))
    ack = await socket.hear(Ack)
    assert ack == Ack(epoch=1, lane="results", through_seq=2)

    def check() -> None:
        first, second = Result.objects.order_by("seq")
        assert (first.organization_id, first.agent, first.camera, first.bundle) == (
            agent.organization_id, agent, camera, bundle,
        )  # fmt: skip
        assert (first.epoch, first.seq, first.captured_at) == (1, 1, START)
        assert (first.received_at, first.latency_ms, first.n_detections) == (START, 40.0, 3)
        assert bytes(first.detections) == make_detections(0, 0, 2)
        assert second.captured_at == later
        assert list(Result.objects.filter(captured_at__gte=later)) == [second]
        minutes = CameraMinute.objects.order_by("minute_at")
        assert [(m.minute_at, m.n_results) for m in minutes] == [
            (START, 1), (START + timedelta(minutes=1), 1),
        ]  # fmt: skip
        figures = LabelMinute.objects.order_by("minute_at", "label").values_list(
            "label", "n_detections", "n_tracks", "peak"
        )
        assert list(figures) == [(0, 2, 1, 2), (2, 1, 1, 1), (0, 1, 1, 1)]

    await database.call(check)
    await socket.leave()


async def test_a_repeated_batch_changes_nothing(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    batch = make_batch(1, *(make_entry(camera.id, 1) for _ in range(5)))
    for _ in range(3):
        socket.say(batch)
        await socket.hear_ack("results", 5)
    assert await database.call(stored) == [1, 2, 3, 4, 5]
    assert await database.call(label_minutes) == {1: [5, 5, 1]}
    await socket.leave()


async def test_of_a_batch_that_overlaps_the_rest_is_new(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    entries = [make_entry(camera.id, 1) for _ in range(6)]
    socket.say(make_batch(1, *entries[:4]))
    socket.say(make_batch(3, *entries[2:]))
    await socket.hear_ack("results", 6)
    assert await database.call(stored) == [1, 2, 3, 4, 5, 6]
    assert await database.call(label_minutes) == {1: [6, 6, 1]}
    await socket.leave()


async def test_what_comes_after_a_hole_waits_for_it(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    socket.say(make_batch(4, make_entry(camera.id)))
    assert (await socket.hear(Ack)).through_seq == 0
    assert await database.call(stored) == []
    socket.say(make_batch(1, *(make_entry(camera.id) for _ in range(4))))
    await socket.hear_ack("results", 4)
    assert await database.call(stored) == [1, 2, 3, 4]
    await socket.leave()


async def test_the_next_connection_goes_on_where_the_last_left_off(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    socket.say(make_batch(1, make_entry(camera.id), make_entry(camera.id)))
    await socket.hear_ack("results", 2)
    await socket.leave()
    socket, welcome = await connect(app, agent.id)
    assert {cursor.lane: cursor.through_seq for cursor in welcome.cursors} == {
        "alerts": 0, "events": 0, "results": 2, "media": 0,
    }  # fmt: skip
    await socket.leave()
    socket, welcome = await connect(app, agent.id, epoch=7)
    assert {cursor.through_seq for cursor in welcome.cursors} == {0}
    socket.say(make_batch(1, make_entry(camera.id), epoch=7))
    await socket.hear_ack("results", 1)
    assert await database.call(stored) == [1, 1, 2]
    await socket.leave()


async def test_late_results_count_in_their_own_minute(
    app: AgentSocket,
    agent: Agent,
    camera: Camera,
    bundle: Bundle,
    clock: Clock,
    database: DatabaseThread,
) -> None:
    socket, _ = await connect(app, agent.id)
    socket.say(make_batch(1, make_entry(camera.id)))
    await socket.hear_ack("results", 1)
    clock.advance(days=3)
    socket.say(make_batch(2, make_entry(camera.id)))
    await socket.hear_ack("results", 2)
    minutes = await database.call(
        lambda: list(CameraMinute.objects.values_list("minute_at", "n_results"))
    )
    assert minutes == [(START, 2)]
    await socket.leave()


async def test_a_bundle_nobody_named_yet_keeps_its_results(
    app: AgentSocket, agent: Agent, camera: Camera, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    socket.say(make_batch(1, make_entry(camera.id, 79)))
    await socket.hear_ack("results", 1)
    bundle = await database.call(Bundle.objects.get)
    assert (bundle.digest, bundle.labels) == ("0" * 31 + "1", [])
    await socket.leave()


async def test_a_zone_that_was_deleted_meanwhile_loses_its_counts_never_a_result(
    app: AgentSocket, agent: Agent, bundle: Bundle, database: DatabaseThread
) -> None:
    scene = {"zones": [{"zone_id": str(ZONE), "name": "Gate", "polygon": [[0, 0], [1, 0], [1, 1]]}]}
    camera = await database.call(partial(make_camera, agent, scene=scene))
    socket, _ = await connect(app, agent.id)
    entered = Entered(ZONE, 0, 2), Entered(UUID(int=2), 0, 9)
    socket.say(make_batch(1, make_entry(camera.id, 0, entered=entered)))
    await socket.hear_ack("results", 1)
    assert await database.call(stored) == [1]

    def check() -> None:
        into = ZoneMinute.objects.get()
        assert (into.camera, into.zone_id, into.bundle) == (camera, ZONE, bundle)
        assert (into.minute_at, into.label, into.n_tracks) == (START, 0, 2)

    await database.call(check)
    await socket.leave()


@pytest.fixture
def foreign_camera(acme: Organization, agent: Agent) -> Camera:
    """A camera of another agent of the same organization."""
    return make_camera(make_agent(agent.site))


async def test_what_cannot_be_true_is_rejected_and_the_rest_is_stored(
    app: AgentSocket,
    agent: Agent,
    camera: Camera,
    foreign_camera: Camera,
    bundle: Bundle,
    database: DatabaseThread,
) -> None:
    good = make_entry(camera.id, 1)
    spoil = msgspec.structs.replace
    box = make_detections(1)
    bad = {
        "from_the_future": spoil(good, captured_at=START + timedelta(seconds=121)),
        "too_old": spoil(good, captured_at=START - timedelta(days=46)),
        "unknown_camera": spoil(good, camera_id=foreign_camera.id),
        "bad_detections": spoil(good, detections=box[:-1]),
    }
    more_bad_detections = [
        spoil(good, detections=make_detections(3)),
        spoil(good, detections=box[4:6] + box[2:4] + box[0:2] + box[6:]),
        spoil(good, n_started=((3, 1),)),
        spoil(good, n_started=((-1, 1),)),
        spoil(good, n_started=((1, -5),)),
        spoil(good, latency_ms=float("inf")),
        spoil(good, entered=(Entered(ZONE, 3, 1),)),
        spoil(good, entered=(Entered(ZONE, 1, 301),)),
    ]
    entries = [good, *bad.values(), *more_bad_detections, good]
    socket, _ = await connect(app, agent.id)
    socket.say(make_batch(1, *entries))
    ack = await socket.hear_ack("results", len(entries))
    assert [rejection.code for rejection in ack.rejected] == [*bad, *["bad_detections"] * 8]
    assert [rejection.seq for rejection in ack.rejected] == list(range(2, len(entries)))
    assert await database.call(stored) == [1, len(entries)]
    assert await database.call(label_minutes) == {1: [2, 2, 1]}

    def check() -> None:
        event = Event.objects.get(kind="entries_refused")
        assert event.title == "12 results of Quay 1 were refused"
        assert "1 from the future, as in: 2026-11-22T12:02:01+00:00 is ahead" in event.detail
        lost = LostRange.objects.order_by("first_seq").values_list("first_seq", "last_seq")
        assert list(lost) == [(2, 2), (3, 3), (4, 4), (5, 13)]
        assert set(LostRange.objects.values_list("reason", flat=True)) == {"refused"}

    await database.call(check)
    await socket.leave()


async def test_people_are_told_of_rejections_once_a_minute(
    app: AgentSocket,
    agent: Agent,
    camera: Camera,
    bundle: Bundle,
    clock: Clock,
    database: DatabaseThread,
) -> None:
    socket, _ = await connect(app, agent.id)
    future = make_entry(camera.id, at=START + timedelta(days=1))
    for seq in range(1, 6):
        socket.say(make_batch(seq, future))
        await socket.hear_ack("results", seq)
    refused = Event.objects.filter(kind="entries_refused")
    assert await database.call(refused.count) == 1
    clock.advance(seconds=61)
    socket.say(make_batch(6, future))
    await socket.hear_ack("results", 6)
    assert await database.call(refused.count) == 2
    assert await database.call(LostRange.objects.count) == 6
    await socket.leave()


async def test_what_the_agent_lost_is_a_fact(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    socket.say(make_batch(1, make_entry(camera.id)))
    gap = Gap(
        epoch=1, lane="results", first_seq=1, last_seq=100, reason="outbox_full", noticed_at=START
    )
    socket.say(gap)
    socket.say(gap)
    socket.say(make_batch(101, make_entry(camera.id)))
    await socket.hear_ack("results", 101)
    assert await database.call(stored) == [1, 101]

    def check() -> None:
        lost = LostRange.objects.get()
        assert (lost.first_seq, lost.last_seq, lost.n_entries) == (2, 100, 99)
        assert lost.reason == "outbox_full"
        event = Event.objects.get(kind="entries_lost")
        assert event.title == "Quay 1 lost 99 of its results"

    await database.call(check)
    await socket.leave()


async def test_a_full_batch_is_taken(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    socket.say(make_batch(1, *[make_entry(camera.id, 0)] * MAX_ENTRIES))
    await socket.hear_ack("results", MAX_ENTRIES)
    assert await database.call(Result.objects.count) == MAX_ENTRIES
    await socket.leave()
