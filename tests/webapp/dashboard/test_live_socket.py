"""What a browser hears, and what it costs when it does not listen."""

import asyncio
from uuid import uuid4

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session

from processing.wire.browser import Counters, encode
from tests.factories import START, make_camera
from tests.webapp.dashboard.conftest import Connect, session_of, settle
from webapp.accounts.models import Membership, Organization, User
from webapp.common.broadcast import broadcast
from webapp.dashboard import audience, consumers
from webapp.dashboard.consumers import live, live_camera
from webapp.fleet.models import Camera

pytestmark = pytest.mark.usefixtures("transactional_db")


async def test_it_works(connect: Connect, acme: Organization, olgas_session: str) -> None:
    topic = ("organization", acme.pk)
    browser = await connect(live, session_key=olgas_session).accepted()
    broadcast.publish(topic, "counters", '{"type":"counters"}')
    assert await browser.next_payload() == '{"type":"counters"}'


async def test_pictures_are_passed_on_as_they_are(
    connect: Connect, camera: Camera, olgas_session: str
) -> None:
    topic = ("camera", camera.pk)
    opened = connect(live_camera, session_key=olgas_session, camera_id=camera.pk)
    browser = await opened.accepted()
    broadcast.publish(topic, "picture", b"\x00\x01picture")
    assert await browser.next_payload() == b"\x00\x01picture"


@pytest.mark.parametrize("session_key", [None, "madeup" * 5])
async def test_without_a_session_nobody_is_let_in(
    connect: Connect, session_key: str | None
) -> None:
    browser = await connect(live, session_key=session_key).accepted()
    assert await browser.closed_with() == consumers.LOGGED_OUT


async def test_a_strangers_camera_is_not_there(
    connect: Connect, camera: Camera, charlie: User
) -> None:
    key = await sync_to_async(session_of)(charlie)
    browser = await connect(live_camera, session_key=key, camera_id=camera.pk).accepted()
    assert await browser.closed_with() == consumers.NOT_YOURS


async def test_a_labeler_may_not_watch(connect: Connect, camera: Camera, bob: User) -> None:
    key = await sync_to_async(session_of)(bob)
    browser = await connect(live_camera, session_key=key, camera_id=camera.pk).accepted()
    assert await browser.closed_with() == consumers.NOT_YOURS


async def test_no_camera_of_that_id(connect: Connect, olgas_session: str) -> None:
    browser = await connect(live_camera, session_key=olgas_session, camera_id=uuid4()).accepted()
    assert await browser.closed_with() == consumers.NOT_YOURS


async def test_a_stranger_hears_nothing_of_others(
    connect: Connect, acme: Organization, charlie: User, olgas_session: str
) -> None:
    key = await sync_to_async(session_of)(charlie)
    theirs = await connect(live, session_key=key).accepted()
    ours = await connect(live, session_key=olgas_session).accepted()
    broadcast.publish(("organization", acme.pk), "changed:agents", "for acme")
    assert await ours.next_payload() == "for acme"
    assert theirs.inbox.empty()


@pytest.mark.parametrize("words", ["OK", "", '{"type":"subscribe"}', "ok" * 100_000, None])
async def test_a_browser_that_says_anything_else_is_sent_away(
    connect: Connect, acme: Organization, olgas_session: str, words: str | None
) -> None:
    opened = connect(live, session_key=olgas_session)
    browser = await opened.accepted()
    browser.say(words, data=b"ok" if words is None else None)
    assert await browser.closed_with() == consumers.MALFORMED


async def test_a_stalled_browser_costs_one_flight_and_one_waiting_picture(
    connect: Connect, camera: Camera, olgas_session: str
) -> None:
    topic = ("camera", camera.pk)
    opened = connect(live_camera, session_key=olgas_session, camera_id=camera.pk)
    browser = await opened.accepted()
    (mailbox,) = broadcast._mailboxes[topic]
    for number in range(1000):
        broadcast.publish(topic, "picture", b"%d" % number)
        await asyncio.sleep(0)
    await settle()
    assert browser.inbox.qsize() == 1
    assert list(mailbox._waiting.values()) == [b"999"]
    assert await browser.next_payload() in {b"0", b"1"}
    browser.say()
    assert await browser.next_payload() == b"999"


async def test_a_browser_that_never_thanks_is_sent_away(
    connect: Connect, camera: Camera, olgas_session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "PATIENCE_S", 0.02)
    topic = ("camera", camera.pk)
    opened = connect(live_camera, session_key=olgas_session, camera_id=camera.pk)
    browser = await opened.accepted()
    broadcast.publish(topic, "picture", b"one")
    await browser.next_payload()
    assert await browser.closed_with() == consumers.STALLED
    assert not broadcast.has_audience(topic)


async def test_every_message_of_a_flight_wants_its_thanks(
    connect: Connect, acme: Organization, olgas_session: str
) -> None:
    topic = ("organization", acme.pk)
    browser = await connect(live, session_key=olgas_session).accepted()
    for name in ("one", "two"):
        broadcast.publish(topic, name, name)
    assert [await browser.next_payload(), await browser.next_payload()] == ["one", "two"]
    broadcast.publish(topic, "three", "three")
    browser.say()
    await asyncio.sleep(2 * consumers.APART_S)
    assert browser.inbox.empty()
    browser.say()
    assert await browser.next_payload() == "three"


async def test_flights_are_apart_however_fast_the_browser_is(
    connect: Connect, camera: Camera, olgas_session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "APART_S", 3600)
    monkeypatch.setattr(consumers, "PATIENCE_S", 7200)
    topic = ("camera", camera.pk)
    opened = connect(live_camera, session_key=olgas_session, camera_id=camera.pk)
    browser = await opened.accepted()
    broadcast.publish(topic, "picture", b"one")
    await browser.next_payload()
    browser.say()
    broadcast.publish(topic, "picture", b"two")
    await settle()
    assert browser.inbox.empty()


async def test_logging_out_closes_every_socket_of_the_session(
    connect: Connect,
    acme: Organization,
    camera: Camera,
    olgas_session: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audience, "POLL_S", 0.01)
    page = await connect(live, session_key=olgas_session).accepted()
    opened = connect(live_camera, session_key=olgas_session, camera_id=camera.pk)
    picture = await opened.accepted()
    await Session.objects.filter(session_key=olgas_session).adelete()
    assert await page.closed_with() == consumers.LOGGED_OUT
    assert await picture.closed_with() == consumers.LOGGED_OUT


async def test_a_lost_role_closes_the_socket_at_the_next_check(
    connect: Connect,
    camera: Camera,
    olga: User,
    olgas_session: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumers, "RECHECK_S", 0.01)
    opened = connect(live_camera, session_key=olgas_session, camera_id=camera.pk)
    browser = await opened.accepted()
    await Membership.objects.filter(user=olga).adelete()
    assert await browser.closed_with() == consumers.NOT_YOURS


async def test_another_organization_makes_the_browser_come_again(
    connect: Connect,
    acme: Organization,
    olga: User,
    olgas_session: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumers, "RECHECK_S", 0.01)
    opened = connect(live, session_key=olgas_session)
    browser = await opened.accepted()
    other = await Organization.objects.acreate(name="Annex")
    await Membership.objects.acreate(user=olga, organization=other, role="operator")
    assert await browser.closed_with() == consumers.TRY_LATER


async def test_leaving_ends_everything(
    connect: Connect, agent: object, camera: Camera, olgas_session: str
) -> None:
    topic = ("camera", camera.pk)
    opened = connect(live_camera, session_key=olgas_session, camera_id=camera.pk)
    browser = await opened.accepted()
    await browser.leave()
    assert not broadcast.has_audience(topic)
    assert olgas_session not in audience.sessions._ended
    assert audience.sessions._polling._task is None


async def test_a_browser_that_leaves_while_it_is_told_something_is_no_error(
    connect: Connect, acme: Organization, olgas_session: str
) -> None:
    topic = ("organization", acme.pk)
    browser = await connect(live, session_key=olgas_session).accepted()
    browser.is_closing = True
    broadcast.publish(topic, "counters", '{"type":"counters"}')
    await browser.over()
    assert not broadcast.has_audience(topic)


async def test_many_browsers_watch_one_camera_each_at_its_own_pace(
    connect: Connect, camera: Camera, olgas_session: str
) -> None:
    topic = ("camera", camera.pk)
    slow, fast = [
        await connect(live_camera, session_key=olgas_session, camera_id=camera.pk).accepted()
        for _ in range(2)
    ]
    seen = []
    for number in range(5):
        broadcast.publish(topic, "picture", b"%d" % number)
        seen.append(await fast.next_payload())
        fast.say()
        await asyncio.sleep(consumers.APART_S)
    assert seen == [b"0", b"1", b"2", b"3", b"4"]
    assert slow.inbox.qsize() == 1


async def test_cameras_do_not_mix(connect: Connect, camera: Camera, olgas_session: str) -> None:
    other = await sync_to_async(make_camera)(camera.agent)
    opened = connect(live_camera, session_key=olgas_session, camera_id=camera.pk)
    browser = await opened.accepted()
    broadcast.publish(("camera", other.pk), "picture", b"not for you")
    await settle()
    assert browser.inbox.empty()


async def test_who_is_in_two_organizations_sees_their_sum(
    connect: Connect, acme: Organization, olga: User, olgas_session: str
) -> None:
    annex = await Organization.objects.acreate(name="Annex")
    await Membership.objects.acreate(user=olga, organization=annex, role="operator")
    browser = await connect(live, session_key=olgas_session).accepted()
    for organization, n_agents in ((acme, 2), (annex, 3)):
        counters = Counters(
            at=START, results_per_s=1.5, n_results=10, n_agents_online=n_agents, n_cameras_online=1
        )
        broadcast.publish(("organization", organization.pk), "counters", encode(counters))
    await settle()
    payload = await browser.next_payload()
    browser.say()
    if msgspec.json.decode(payload or "", type=Counters).n_agents_online != 5:
        payload = await browser.next_payload()
    merged = msgspec.json.decode(payload or "", type=Counters)
    assert (merged.n_agents_online, merged.results_per_s) == (5, 3.0)
