"""The events page: every event once, newest first, and nobody else's."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import START, make_camera, make_event
from webapp.accounts.models import Organization, User
from webapp.dashboard.paging import PAGE_SIZE, BadCursor, Cursor, page_of
from webapp.dashboard.queries import events_for
from webapp.fleet.models import Camera

if TYPE_CHECKING:
    from webapp.events.models import Event


def test_it_works(client: Client, olga: User, camera: Camera) -> None:
    make_event(
        olga.organizations.get(), title="The gate is open", camera=camera, severity="warning"
    )
    client.force_login(olga)
    answer = client.get("/events/")
    assert answer.status_code == 200
    assert "The gate is open" in answer.text
    assert camera.name in answer.text


def test_paging_shows_each_event_once_even_when_many_share_an_instant(
    acme: Organization, olga: User
) -> None:
    for number in range(2 * PAGE_SIZE + 3):
        make_event(acme, occurred_at=START - timedelta(seconds=number // 40))
    seen: list[Event] = []
    cursor = None
    for _ in range(10):
        shown = page_of(events_for(olga), after=cursor)
        seen += shown.events
        cursor = shown.next
        if cursor is None:
            break
        cursor = Cursor.parse(str(cursor))
    assert len(seen) == len({event.pk for event in seen}) == 2 * PAGE_SIZE + 3
    assert [event.occurred_at for event in seen] == sorted(
        (event.occurred_at for event in seen), reverse=True
    )


@given(st.text(max_size=300))
def test_no_cursor_that_somebody_makes_up_is_a_crash(text: str) -> None:
    try:
        cursor = Cursor.parse(text)
    except BadCursor:
        return
    assert Cursor.parse(str(cursor)) == cursor


def test_a_cursor_that_is_none_is_told(client: Client, olga: User) -> None:
    client.force_login(olga)
    answer = client.get("/events/", {"after": "%%%"})
    assert answer.status_code == 400
    assert "That page is gone" in answer.text


def test_filters_narrow(client: Client, olga: User, camera: Camera) -> None:
    organization = camera.organization
    make_event(organization, title="Here", camera=camera, severity="error")
    make_event(organization, title="There", camera=make_camera(camera.agent), severity="error")
    make_event(organization, title="Mild", camera=camera, severity="info")
    client.force_login(olga)
    answer = client.get("/events/", {"camera": str(camera.pk), "severity": "error"})
    assert "Here" in answer.text
    assert "There" not in answer.text
    assert "Mild" not in answer.text


@pytest.mark.parametrize("query", [{"camera": "not-a-uuid"}, {"severity": "loud"}])
def test_a_filter_that_does_not_exist_shows_nothing(
    client: Client, olga: User, query: dict[str, str]
) -> None:
    make_event(olga.organizations.get(), title="Hidden")
    client.force_login(olga)
    answer = client.get("/events/", query)
    assert answer.status_code == 400
    assert "Hidden" not in answer.text


def test_a_strangers_camera_is_no_filter(client: Client, charlie: User, camera: Camera) -> None:
    make_event(camera.organization, title="Ours", camera=camera)
    client.force_login(charlie)
    assert "Ours" not in client.get("/events/", {"camera": str(camera.pk)}).text
    assert "Ours" not in client.get("/events/").text


def test_htmx_gets_the_rows_alone(client: Client, olga: User) -> None:
    make_event(olga.organizations.get(), title="A row")
    client.force_login(olga)
    part = client.get("/events/", headers={"HX-Request": "true"})
    assert "A row" in part.text
    assert "<html" not in part.text
    assert "HX-Request" in part.headers["Vary"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"taken": "no"}, {"New"}),
        ({"taken": "yes"}, {"Seen", "False"}),
        ({"taken": "false_alarm"}, {"False"}),
        ({"label": "person"}, {"Seen"}),
        ({"label": "person%"}, set()),
    ],
)
def test_what_people_did_and_what_was_in_it_narrow(
    client: Client, acme: Organization, olga: User, query: dict[str, str], shown: set[str]
) -> None:
    make_event(acme, title="New")
    make_event(acme, title="Seen", acknowledged_at=START, labels=["person"])
    make_event(acme, title="False", acknowledged_at=START, false_alarm_at=START)
    client.force_login(olga)
    text = client.get("/events/", query, headers={"HX-Request": "true"}).text
    assert {title for title in ("New", "Seen", "False") if f">{title}</a>" in text} == shown


def test_clocks_are_those_of_the_visitor(client: Client, acme: Organization, olga: User) -> None:
    make_event(acme, title="Noon")  # 12:00 UTC, 13:00 in Berlin, where November has no summer time
    client.force_login(olga)

    def is_shown(since: str, until: str, zone: str = "") -> bool:
        query = {"span": "chosen", "since": since, "until": until, "zone": zone}
        return "Noon" in client.get("/events/", query).text

    assert is_shown("2026-11-22T12:00", "2026-11-22T12:01")
    assert not is_shown("2026-11-22T12:00", "2026-11-22T12:01", "Europe/Berlin")
    assert is_shown("2026-11-22T13:00", "", "Europe/Berlin")
    assert not is_shown("", "2026-11-22T13:00", "Europe/Berlin")


def test_clocks_count_only_where_they_are_chosen(
    client: Client, acme: Organization, olga: User
) -> None:
    make_event(acme, title="Noon")
    client.force_login(olga)
    assert "Noon" in client.get("/events/", {"since": "2026-12-01T00:00"}).text


@pytest.mark.parametrize(
    "query",
    [
        {"zone": "../../etc/passwd"},
        {"zone": "Mars/Olympus"},
        {"since": "0001-01-01T00:00"},
        {"until": "9999-12-31T23:59"},
        {"since": "yesterday"},
        {"label": "x" * 201},
    ],
)
def test_a_time_that_is_none_shows_nothing(
    client: Client, acme: Organization, olga: User, query: dict[str, str]
) -> None:
    make_event(acme, title="Hidden")
    client.force_login(olga)
    answer = client.get("/events/", {"span": "chosen", **query})
    assert answer.status_code == 400
    assert "Hidden" not in answer.text
