"""What people do about events: once, by whom, when; taken back, and told to whoever looks."""

from datetime import timedelta

import pytest

from tests.factories import START, Clock, make_event
from webapp.accounts.models import Organization, User
from webapp.common.models import Change
from webapp.events.actions import (
    BadComment,
    TooManyComments,
    acknowledge,
    comment,
    set_false_alarm,
    take_back_acknowledgement,
    unset_false_alarm,
)
from webapp.events.actions import deeds as deeds_of_people
from webapp.events.models import Deed, Event
from webapp.events.queries import with_label


def kinds(event: Event) -> list[tuple[str, str]]:
    return [(deed.kind, deed.by.username if deed.by else "") for deed in event.deeds.all()]


def test_it_works(acme: Organization, olga: User, clock: Clock) -> None:
    event = make_event(acme)
    assert acknowledge(Event.objects.all(), by=olga, at=clock.now()) == 1
    event.refresh_from_db()
    assert (event.acknowledged_at, event.acknowledged_by) == (START, olga)
    assert kinds(event) == [("acknowledged", "olga")]
    assert [change.topic for change in Change.objects.all()] == ["events"]


def test_who_comes_second_changes_nothing(
    acme: Organization, olga: User, alice: User, clock: Clock
) -> None:
    event = make_event(acme)
    acknowledge(Event.objects.all(), by=olga, at=clock.now())
    assert acknowledge(Event.objects.all(), by=alice, at=clock.advance(seconds=3)) == 0
    event.refresh_from_db()
    assert (event.acknowledged_by, event.acknowledged_at) == (olga, START)
    assert kinds(event) == [("acknowledged", "olga")]


def test_an_acknowledgement_is_taken_back(acme: Organization, olga: User, clock: Clock) -> None:
    event = make_event(acme)
    acknowledge(Event.objects.all(), by=olga, at=clock.now())
    assert take_back_acknowledgement(Event.objects.all(), by=olga, at=clock.advance(seconds=1)) == 1
    event.refresh_from_db()
    assert (event.acknowledged_at, event.acknowledged_by) == (None, None)
    assert kinds(event) == [("acknowledged", "olga"), ("unacknowledged", "olga")]


def test_many_are_acknowledged_at_once_and_no_more_than_that(
    acme: Organization, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deeds_of_people, "MAX_AT_ONCE", 3)
    for number in range(5):
        make_event(acme, occurred_at=START + timedelta(seconds=number))
    assert acknowledge(Event.objects.all(), by=olga, at=START) == 3
    assert Event.objects.filter(acknowledged_by=olga).count() == Deed.objects.count() == 3


def test_a_false_alarm_is_acknowledged_too_and_stays_so(
    acme: Organization, olga: User, clock: Clock
) -> None:
    event = make_event(acme)
    assert set_false_alarm(event, by=olga, at=clock.now())
    assert not set_false_alarm(event, by=olga, at=clock.now())
    event.refresh_from_db()
    assert (event.false_alarm_by, event.acknowledged_by) == (olga, olga)
    assert unset_false_alarm(event, by=olga, at=clock.advance(seconds=1))
    event.refresh_from_db()
    assert (event.false_alarm_at, event.acknowledged_by) == (None, olga)
    assert [kind for kind, _ in kinds(event)] == ["false_alarm", "no_false_alarm"]


def test_a_comment_is_kept_as_it_was_said(acme: Organization, olga: User) -> None:
    event = make_event(acme)
    comment(event, by=olga, text=" It was\r\nthe\0 postman. \n", at=START)
    assert [deed.text for deed in event.deeds.all()] == [
        "It was\nthe\N{REPLACEMENT CHARACTER} postman."
    ]


@pytest.mark.parametrize("text", ["", " \n ", "x" * 2001])
def test_what_is_no_comment_is_refused(acme: Organization, olga: User, text: str) -> None:
    with pytest.raises(BadComment):
        comment(make_event(acme), by=olga, text=text, at=START)
    assert not Deed.objects.exists()


def test_comments_have_an_end(
    acme: Organization, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deeds_of_people, "MAX_COMMENTS", 2)
    event = make_event(acme)
    for text in ("one", "two"):
        comment(event, by=olga, text=text, at=START)
    with pytest.raises(TooManyComments):
        comment(event, by=olga, text="three", at=START)


def test_events_are_found_by_the_class_that_was_in_them(acme: Organization) -> None:
    make_event(acme, title="both", labels=["person", "car"])
    make_event(acme, title="near miss", labels=["personal", "straßenbahn"])

    def titles(label: str) -> list[str]:
        return [event.title for event in with_label(Event.objects.all(), label)]

    assert titles("person") == ["both"]
    assert titles("straßenbahn") == ["near miss"]
    assert titles('", "') == titles("%") == []
