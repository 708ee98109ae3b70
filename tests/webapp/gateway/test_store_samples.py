"""Frames for learning arrive with their picture, once."""

from datetime import timedelta

import msgspec
from django.core.files.storage import default_storage

from processing.wire.messages import Disagreement, SampleBatch, SampleOffered
from tests.factories import JPEG, START, make_detections
from tests.webapp.gateway.double import connect
from webapp.datasets.models import Sample
from webapp.events.models import Event
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.gateway.database import DatabaseThread
from webapp.gateway.socket import AgentSocket
from webapp.jobs.models import Job


def make_offer(camera: Camera) -> SampleOffered:
    return SampleOffered(
        camera_id=camera.id,
        captured_at=START,
        bundle=bytes(15) + b"\x01",
        detections=make_detections(0, score=0.3),
        reason="low_confidence",
        score=0.3,
        width=8,
        height=8,
        jpeg=JPEG,
    )


async def test_it_works(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    for _ in range(2):
        socket.say(SampleBatch(epoch=1, first_seq=1, entries=(make_offer(camera),)))
        await socket.hear_ack("media", 1)

    def check() -> None:
        sample = Sample.objects.get()
        assert (sample.agent, sample.camera, sample.bundle) == (agent, camera, bundle)
        assert (sample.epoch, sample.seq, sample.state) == (1, 1, "received")
        with default_storage.open(sample.picture.path) as picture:
            assert picture.read() == JPEG
        assert Job.objects.count() == 1

    await database.call(check)
    await socket.leave()


async def test_what_the_cloud_says_otherwise_is_why_it_was_kept(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    differs = Disagreement(n_things=5, n_alone=2)
    plain = make_offer(camera)
    disputed = msgspec.structs.replace(plain, disagreement=differs, embedding=b"\x00\x3c")
    random = msgspec.structs.replace(plain, disagreement=differs, reason="random")
    socket, _ = await connect(app, agent.id)
    socket.say(SampleBatch(epoch=1, first_seq=1, entries=(plain, disputed, random)))
    await socket.hear_ack("media", 3)

    def check() -> None:
        kept = Sample.objects.order_by("seq").values_list("reason", "score", "n_compared")
        assert list(kept) == [
            ("low_confidence", 0.3, None),
            ("cloud", 0.4, 5),
            ("random", 0.3, None),
        ]
        embeddings = Sample.objects.order_by("seq").values_list("embedding", flat=True)
        assert [each and bytes(each) for each in embeddings] == [None, b"\x00\x3c", None]

    await database.call(check)
    await socket.leave()


async def test_what_is_no_picture_is_rejected(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    good = make_offer(camera)
    bad = (
        msgspec.structs.replace(good, jpeg=b"GIF89a;"),
        msgspec.structs.replace(good, captured_at=START + timedelta(hours=1)),
        msgspec.structs.replace(good, detections=make_detections(9)),
        msgspec.structs.replace(good, embedding=bytes(3)),
        msgspec.structs.replace(good, embedding=b"\x00\x7c"),  # infinite
        msgspec.structs.replace(good, disagreement=Disagreement(n_things=1, n_alone=2)),
    )
    socket, _ = await connect(app, agent.id)
    socket.say(SampleBatch(epoch=1, first_seq=1, entries=(*bad, good)))
    ack = await socket.hear_ack("media", 7)
    assert [rejection.code for rejection in ack.rejected] == [
        "bad_picture", "from_the_future", "bad_detections",
        "bad_picture", "bad_picture", "bad_detections",
    ]  # fmt: skip
    assert await database.call(lambda: Sample.objects.get().seq) == 7
    assert await database.call(Event.objects.filter(kind="entries_refused").count) == 1
    await socket.leave()
