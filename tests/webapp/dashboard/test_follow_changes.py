"""Following the table of changes: each change is told once, whatever order they commit in."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.factories import Clock
from webapp.accounts.models import Organization
from webapp.common.broadcast import Broadcast
from webapp.common.changes import newest_change_id, record_change
from webapp.common.models import Change
from webapp.dashboard.follower import MOST_APART, OVERLAP, Calm, Follower, OutOfDate, tell

pytestmark = pytest.mark.django_db


def test_it_works(acme: Organization, clock: Clock) -> None:
    record_change(acme.pk, "agents", at=clock.now())
    follower = Follower.beginning(at=clock.advance(minutes=1))
    record_change(acme.pk, "cameras", at=clock.now())
    assert follower.take_new(at=clock.now()) == {(acme.pk, "cameras")}
    assert follower.take_new(at=clock.now()) == set()


def test_what_changed_while_the_first_page_was_on_its_way_is_told(
    acme: Organization, clock: Clock
) -> None:
    record_change(acme.pk, "agents", at=clock.now())
    follower = Follower.beginning(at=clock.advance(seconds=2))
    assert follower.take_new(at=clock.now()) == {(acme.pk, "agents")}


def test_many_changes_of_one_topic_are_told_as_one(acme: Organization, clock: Clock) -> None:
    follower = Follower.beginning(at=clock.now())
    for _ in range(50):
        record_change(acme.pk, "events", at=clock.now())
    assert follower.take_new(at=clock.now()) == {(acme.pk, "events")}


def test_a_change_that_commits_late_under_a_lower_id_is_told(
    acme: Organization, clock: Clock
) -> None:
    follower = Follower.beginning(at=clock.now())
    first = newest_change_id(before=clock.now()) + 1
    Change.objects.create(
        pk=first + 1, organization_id=acme.pk, topic="agents", made_at=clock.now()
    )
    assert follower.take_new(at=clock.now()) == {(acme.pk, "agents")}
    Change.objects.create(pk=first, organization_id=acme.pk, topic="review", made_at=clock.now())
    assert follower.take_new(at=clock.advance(seconds=1)) == {(acme.pk, "review")}
    assert follower.take_new(at=clock.advance(seconds=1)) == set()


def test_what_has_settled_is_not_read_again(acme: Organization, clock: Clock) -> None:
    follower = Follower.beginning(at=clock.now())
    record_change(acme.pk, "agents", at=clock.now())
    follower.take_new(at=clock.now())
    clock.advance(seconds=(OVERLAP + timedelta(seconds=1)).total_seconds())
    assert follower.take_new(at=clock.now()) == set()
    assert follower._floor == newest_change_id(before=clock.now())
    assert follower._told == {}


def test_only_the_organizations_own_audience_is_told() -> None:
    told: list[object] = []

    class Listening(Broadcast):
        def deliver(self, topic: object, key: object, payload: object) -> None:
            told.append((topic, key, payload))

    organization_id = UUID(int=7)
    tell({(organization_id, "agents")}, Listening())
    assert told == [
        (("organization", organization_id), "changed:agents", '{"type":"changed","topic":"agents"}')
    ]


def test_what_goes_on_is_told_ever_more_seldom_and_its_last_change_too(clock: Clock) -> None:
    calm = Calm()
    change: OutOfDate = (UUID(int=7), "agents")
    told_after: list[float] = []
    for tenth in range(200):
        if calm.take_due({change}, at=clock.now()):
            told_after.append(tenth / 10)
        clock.advance(seconds=0.1)
    assert told_after[:4] == pytest.approx([0, 0.5, 1.5, 3.5], abs=0.11)
    assert len(told_after) < 5 + 20 / MOST_APART.total_seconds()
    clock.advance(seconds=MOST_APART.total_seconds())
    assert calm.take_due(set(), at=clock.now()) == {change}
    assert not calm.is_holding


def test_after_a_pause_a_change_is_told_at_once(clock: Clock) -> None:
    calm = Calm()
    change: OutOfDate = (UUID(int=7), "cameras")
    for _ in range(100):
        calm.take_due({change}, at=clock.advance(seconds=0.1))
    calm.take_due(set(), at=clock.advance(seconds=3))
    assert calm.take_due({change}, at=clock.advance(seconds=7)) == {change}
    assert calm.take_due({change}, at=clock.advance(seconds=0.6)) == {change}


def test_events_are_never_held_back(clock: Clock) -> None:
    calm = Calm()
    change: OutOfDate = (UUID(int=7), "events")
    assert all(calm.take_due({change}, at=clock.advance(seconds=0.1)) for _ in range(20))
