"""A clip that is wanted is asked for over the socket, and comes over HTTP to a path of its own."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from django.test import Client

from processing.wire.identity import Problem
from processing.wire.limits import MAX_CLIP_BYTES
from processing.wire.messages import ClipDemand, ClipMissing, Thumbnail, ThumbnailBatch
from tests.factories import JPEG, START, Clock, make_agent, make_clip, make_event
from tests.webapp.gateway.double import connect
from webapp.accounts.models import User
from webapp.common.request_limits import MAX_BODY_BYTES, most_bytes, most_seconds
from webapp.events import models
from webapp.events.actions import ask_for_clips
from webapp.events.models import Clip, Event
from webapp.fleet.models import Agent, Camera
from webapp.gateway import uploads
from webapp.gateway.database import DatabaseThread
from webapp.gateway.gateway import Gateway
from webapp.gateway.socket import AgentSocket
from webapp.gateway.uploads import PREFIX, Upload, read_token, upload_path

Ask = Callable[[], int]
MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(500)


@pytest.fixture
def clip(agent: Agent) -> Clip:
    return make_clip(make_event(agent.organization, agent=agent, event_id=uuid4()))


@pytest.fixture
def ask(clip: Clip, olga: User, clock: Clock) -> Ask:
    """Ask for the clip, now."""
    return lambda: ask_for_clips(Clip.objects.filter(pk=clip.pk), by=olga, at=clock.now())


def put(client: Client, path: str, content: bytes = MP4, **headers: str) -> Any:
    kind = headers.pop("content_type", "video/mp4")
    return client.put(path, content, content_type=kind, headers=headers)


# ------------------------------------------------------------------------------ the demand


async def test_it_works(
    app: AgentSocket, agent: Agent, clip: Clip, ask: Ask, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    await database.call(ask)
    (wanted,) = (await socket.hear(ClipDemand)).wanted
    assert wanted.clip_id == clip.clip_id
    assert read_token(wanted.upload_path.removeprefix(PREFIX)) == Upload(agent.id, clip.clip_id)
    socket.say(ClipMissing(clip_id=clip.clip_id, reason="it made room for newer ones"))
    assert (await socket.hear(ClipDemand)).wanted == ()
    await database.call(clip.refresh_from_db)
    assert (clip.state, clip.reason) == ("gone", "it made room for newer ones")
    await socket.leave()


async def test_an_agent_that_comes_back_is_told_what_is_wanted_of_it(
    app: AgentSocket, agent: Agent, clip: Clip, ask: Ask, database: DatabaseThread
) -> None:
    await database.call(ask)
    for _ in range(2):
        socket, _ = await connect(app, agent.id)
        assert [each.clip_id for each in (await socket.hear(ClipDemand)).wanted] == [clip.clip_id]
        await socket.leave()


async def test_what_is_still_wanted_is_told_again_with_a_fresh_path(
    gateway: Gateway, agent: Agent, clip: Clip, ask: Ask, clock: Clock, database: DatabaseThread
) -> None:
    socket, _ = await connect(AgentSocket(gateway), agent.id)
    await database.call(ask)
    await socket.hear(ClipDemand)
    await gateway.demand_clips()
    assert await socket.is_silent()
    clock.advance(seconds=30)
    await gateway.demand_clips()
    assert (await socket.hear(ClipDemand)).wanted[0].clip_id == clip.clip_id
    await socket.leave()


async def test_what_nobody_waits_for_any_more_is_not_wanted(
    app: AgentSocket, agent: Agent, ask: Ask, clock: Clock, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    await database.call(ask)
    await socket.hear(ClipDemand)
    clock.advance(seconds=models.CLIP_PATIENCE.total_seconds())
    assert (await socket.hear(ClipDemand)).wanted == ()
    await socket.leave()


async def test_an_agent_cannot_lose_the_clips_of_another(
    app: AgentSocket, agent: Agent, other_agent: Agent, clip: Clip, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, other_agent.id)
    socket.say(ClipMissing(clip_id=clip.clip_id, reason="mine now"))
    socket.say(ThumbnailBatch(epoch=1, first_seq=1, entries=(make_picture(uuid4(), uuid4()),)))
    await socket.hear_ack("media", 1)  # what was said before it is committed
    await database.call(clip.refresh_from_db)
    assert clip.state == "kept"
    await socket.leave()


# ------------------------------------------------------------------------------ thumbnails


def make_picture(camera_id: UUID, event_id: UUID, **fields: Any) -> Thumbnail:
    picture = Thumbnail(
        event_id=event_id, camera_id=camera_id, captured_at=START, score=0.8, width=8, height=8,
        jpeg=JPEG,
    )  # fmt: skip
    return msgspec.structs.replace(picture, **fields)


async def test_thumbnails_are_kept_and_what_is_none_is_rejected(
    app: AgentSocket, agent: Agent, camera: Camera, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    event_id = uuid4()
    entries = (
        make_picture(camera.id, event_id),
        make_picture(camera.id, event_id, jpeg=b"GIF89a;"),
        make_picture(uuid4(), event_id),
        make_picture(camera.id, event_id, captured_at=START + timedelta(hours=1)),
    )
    for _ in range(2):
        socket.say(ThumbnailBatch(epoch=1, first_seq=1, entries=entries))
    ack = await socket.hear_ack("media", 4)
    assert [rejection.code for rejection in ack.rejected] == [
        "bad_picture", "unknown_camera", "from_the_future",
    ]  # fmt: skip
    kept = await database.call(models.Thumbnail.objects.get)
    assert (kept.event_id, kept.score) == (event_id, 0.8)
    assert await database.call(Event.objects.filter(kind="entries_refused").count) == 1
    await socket.leave()


# ------------------------------------------------------------------------------ the upload


def test_a_clip_is_taken_without_a_cookie(client: Client, clip: Clip) -> None:
    answer = put(Client(enforce_csrf_checks=True), upload_path(clip.agent_id, clip.clip_id))
    assert (answer.status_code, answer.content) == (201, b"")
    clip.refresh_from_db()
    assert (clip.state, clip.n_bytes) == ("here", len(MP4))


def test_a_clip_that_is_here_is_not_taken_again(client: Client, clip: Clip) -> None:
    path = upload_path(clip.agent_id, clip.clip_id)
    assert put(client, path).status_code == 201
    assert problem_of(put(client, path, MP4 + b"other")).status == 409
    clip.refresh_from_db()
    assert clip.n_bytes == len(MP4)


def test_a_path_that_is_none_is_refused(client: Client, clip: Clip) -> None:
    path = upload_path(clip.agent_id, clip.clip_id)
    for made_up in (
        path[:-1],
        path + "x",
        f"{PREFIX}a.b.c",
        path.replace(clip.clip_id.hex, "0" * 32),
    ):
        assert problem_of(put(client, made_up)).status == 403
    clip.refresh_from_db()
    assert clip.state == "kept"


def test_a_path_is_good_for_one_clip_of_one_agent(client: Client, clip: Clip) -> None:
    other = make_agent(clip.agent.site)
    assert put(client, upload_path(other.id, clip.clip_id)).status_code == 403
    assert put(client, upload_path(clip.agent_id, uuid4())).status_code == 403
    Agent.objects.update(is_revoked=True)
    assert put(client, upload_path(clip.agent_id, clip.clip_id)).status_code == 403


def test_a_path_runs_out(client: Client, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    path = upload_path(clip.agent_id, clip.clip_id)
    monkeypatch.setattr(uploads, "VALID_FOR", timedelta(seconds=-1))
    assert problem_of(put(client, path)).status == 403


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        pytest.param(MP4, {"content_type": "text/html"}, 415, id="another type"),
        pytest.param(b"<html>", {}, 415, id="no MP4"),
        pytest.param(MP4, {"content_length": ""}, 411, id="no length"),
        pytest.param(MP4, {"content_length": str(MAX_CLIP_BYTES + 1)}, 413, id="too large"),
    ],
)
def test_what_is_no_clip_is_refused_in_words(
    client: Client, clip: Clip, content: bytes, headers: dict[str, str], status: int
) -> None:
    answer = put(client, upload_path(clip.agent_id, clip.clip_id), content, **headers)
    refusal = problem_of(answer)
    assert refusal.status == status
    assert refusal.detail
    clip.refresh_from_db()
    assert clip.state == "kept"


def test_a_clip_is_put_and_nothing_else(client: Client, clip: Clip) -> None:
    path = upload_path(clip.agent_id, clip.clip_id)
    assert client.get(path).status_code == 405
    assert client.post(path, MP4, content_type="video/mp4").status_code == 405


def test_only_a_path_that_is_good_takes_more_than_others() -> None:
    path = upload_path(uuid4(), uuid4())
    assert most_bytes(path) == MAX_CLIP_BYTES
    assert most_seconds(path) == uploads.VALID_FOR.total_seconds()
    assert most_bytes(path[:-1]) == most_bytes(PREFIX) == most_bytes("/") == MAX_BODY_BYTES


def problem_of(answer: Any) -> Problem:
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = msgspec.json.decode(answer.content, type=Problem)
    assert told.status == answer.status_code
    return told
