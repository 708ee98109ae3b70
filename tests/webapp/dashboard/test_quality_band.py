"""What a camera's pictures are like over time, as the chart draws it."""

from datetime import timedelta

import pytest
from django.test import Client

from processing.wire.messages import FrameFeatures
from tests.factories import START, make_camera, make_event
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.dashboard.quality import QUALITY_SPANS, Mark, quality_band
from webapp.events.actions.lasting import begin_event, end_event
from webapp.events.models import Event
from webapp.fleet.models import Camera
from webapp.monitoring.folding import Measured, fold_features

pytestmark = pytest.mark.django_db


def show(camera: Camera, *brightness: float, minutes_ago: int) -> None:
    at = START - timedelta(minutes=minutes_ago)
    fold_features(
        Measured(
            camera.organization_id.hex, camera.id.hex, at, FrameFeatures(each, 0.2, 120.0, 2.5, 0.0)
        )
        for each in brightness
    )


def test_it_works(camera: Camera) -> None:
    show(camera, *(each / 10 for each in range(1, 11)), minutes_ago=2)
    show(make_camera(camera.agent), 0.9, minutes_ago=1)
    band = quality_band(camera, feature="brightness", span="1h", at=START)
    assert (len(band.times), band.step_s, band.times[-1]) == (60, 60, int(START.timestamp()))
    assert band.n_frames[-3:] == [10, 0, 0]
    for values, value in ((band.p10, 0.1), (band.p50, 0.5), (band.p90, 0.9)):
        assert values[-3] == pytest.approx(value, rel=0.02)
        assert values[-1] is None


@pytest.mark.parametrize("span", QUALITY_SPANS)
def test_every_span_tells_the_same(camera: Camera, span: str) -> None:
    show(camera, 0.2, 0.2, minutes_ago=5)
    show(camera, 0.2, minutes_ago=0)
    band = quality_band(camera, feature="brightness", span=span, at=START)  # type: ignore[arg-type]  # from the table
    assert sum(band.n_frames) == 3
    assert {value for value in band.p50 if value is not None} == {0.2}
    assert len(band.times) <= 168


def test_what_was_wrong_meanwhile_is_marked(camera: Camera) -> None:
    for kind, hours_ago in (("picture_dark", 20), ("picture_blurred", 2), ("in_zone", 1)):
        begun = begin_event(
            camera,
            kind=kind,
            title=kind,
            detail="",
            severity=Event.Severity.WARNING,
            at=START - timedelta(hours=hours_ago),
        )
        if kind == "picture_dark":
            end_event(begun, detail="", at=START - timedelta(hours=19))
    marks = {
        span: [(mark.title, mark.ends is None) for mark in _marks(camera, span)]
        for span in ("1h", "24h")
    }
    assert marks == {
        "1h": [("picture_blurred", True)],
        "24h": [("picture_dark", False), ("picture_blurred", True)],
    }


def _marks(camera: Camera, span: str) -> list[Mark]:
    return quality_band(camera, feature="noise", span=span, at=START).marks  # type: ignore[arg-type]  # from the table


@pytest.mark.parametrize(
    ("query", "field"), [("span=2h", "span"), ("feature=colour", "feature"), ("span=30d", "span")]
)
def test_what_cannot_be_drawn_is_refused_by_name(
    client: Client, olga: User, camera: Camera, query: str, field: str
) -> None:
    client.force_login(olga)
    answer = client.get(f"/cameras/{camera.pk}/quality.json?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert field in answer.json()["errors"]


def test_an_event_that_is_told_once_is_a_mark_too(camera: Camera) -> None:
    make_event(
        camera.organization,
        camera=camera,
        kind="tampered",
        title="Covered",
        occurred_at=START - timedelta(minutes=3),
    )
    (mark,) = quality_band(camera, feature="noise", span="1h", at=START).marks
    assert mark.ends == mark.begins


def test_events_about_pictures_are_found_as_such(
    client: Client, olga: User, camera: Camera
) -> None:
    for kind, title in (("picture_dark", "Gate: too dark"), ("agent_online", "Quay 1 is back")):
        make_event(camera.organization, camera=camera, kind=kind, title=title, occurred_at=now())
    client.force_login(olga)
    for chosen, there, absent in (
        ("pictures", "too dark", "is back"),
        ("other", "is back", "too dark"),
    ):
        page = client.get(f"/events/?kind={chosen}").content.decode()
        assert there in page
        assert absent not in page
    shown = Event.objects.get(kind="picture_dark")
    assert "Too dark" in client.get(f"/events/{shown.pk}/").content.decode()
