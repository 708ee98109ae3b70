"""What a browser that watches video is sent, and what it costs when it does not keep up."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from processing.wire.limits import MAX_FRAGMENT_BYTES
from tests.webapp.dashboard.conftest import Connect, SocketBrowser, session_of, settle
from webapp.accounts.models import User
from webapp.common.broadcast import broadcast
from webapp.dashboard import consumers
from webapp.dashboard.consumers import live_main, live_small, live_video
from webapp.dashboard.reel import MAX_BYTES
from webapp.fleet.models import Camera

pytestmark = pytest.mark.usefixtures("transactional_db")


async def watching(opened: SocketBrowser, topic: tuple[str, object]) -> SocketBrowser:
    """Wait until the browser has been let in and watches."""
    await opened.accepted()
    async with asyncio.timeout(10):
        while topic not in broadcast._mailboxes:  # noqa: ASYNC110 - it has no event to wait for
            await asyncio.sleep(0.005)
    return opened


@pytest.mark.parametrize(("endpoint", "kind"), [(live_video, "video"), (live_main, "main")])
async def test_it_works(
    connect: Connect, camera: Camera, olgas_session: str, endpoint: object, kind: str
) -> None:
    topic = (kind, camera.pk)
    opened = connect(endpoint, session_key=olgas_session, camera_id=camera.pk)
    browser = await watching(opened, topic)
    for part, payload in (("delta", b"0"), ("key", b"1"), ("boxes", b"2"), ("delta", b"3")):
        broadcast.publish(topic, part, payload)
    for expected in (b"1", b"2", b"3"):
        assert await browser.next_payload() == expected
        browser.say()
    broadcast.publish(topic, "delta", b"4")
    assert await browser.next_payload() == b"4"


async def test_a_stalled_browser_costs_640_kb_and_then_begins_with_a_key_picture(
    connect: Connect, camera: Camera, olgas_session: str
) -> None:
    topic = ("video", camera.pk)
    opened = connect(live_video, session_key=olgas_session, camera_id=camera.pk)
    browser = await watching(opened, topic)
    (reel,) = broadcast._mailboxes[topic]
    broadcast.publish(topic, "key", b"first" + bytes(MAX_FRAGMENT_BYTES))
    await settle()
    most = 0
    for number in range(1, 500):
        kind = "delta" if number % 50 else "key"
        broadcast.publish(topic, kind, b"%s %d" % (kind.encode(), number) + bytes(20_000))
        most = max(most, reel._tape.n_bytes)  # type: ignore[attr-defined]
        await asyncio.sleep(0)
    assert browser.inbox.qsize() == 1
    assert most <= MAX_BYTES
    in_flight = await browser.next_payload()
    assert isinstance(in_flight, bytes)
    assert most + len(in_flight) <= 640 * 1024
    broadcast.publish(topic, "key", b"key 500")
    browser.say()
    assert await browser.next_payload() == b"key 500"


async def test_a_browser_that_never_thanks_is_sent_away(
    connect: Connect, camera: Camera, olgas_session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "PATIENCE_S", 0.02)
    topic = ("video", camera.pk)
    opened = connect(live_video, session_key=olgas_session, camera_id=camera.pk)
    browser = await watching(opened, topic)
    broadcast.publish(topic, "key", b"one")
    await browser.next_payload()
    assert await browser.closed_with() == consumers.STALLED
    assert not broadcast.has_audience(topic)


@pytest.mark.parametrize("endpoint", [live_video, live_main, live_small])
async def test_a_strangers_camera_is_not_there(
    connect: Connect, camera: Camera, charlie: User, endpoint: object
) -> None:
    key = await sync_to_async(session_of)(charlie)
    browser = await connect(endpoint, session_key=key, camera_id=camera.pk).accepted()
    assert await browser.closed_with() == consumers.NOT_YOURS


async def test_small_pictures_are_a_topic_of_their_own(
    connect: Connect, camera: Camera, olgas_session: str
) -> None:
    topic = ("small", camera.pk)
    opened = connect(live_small, session_key=olgas_session, camera_id=camera.pk)
    browser = await watching(opened, topic)
    broadcast.publish(("camera", camera.pk), "picture", b"large")
    broadcast.publish(topic, "picture", b"small")
    assert await browser.next_payload() == b"small"
