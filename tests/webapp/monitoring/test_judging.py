"""Pictures that are not as they should be are told of once, and no longer than it lasts."""

from datetime import timedelta

import pytest

from processing.wire.messages import FrameFeatures
from tests.factories import Clock
from webapp.events.models import Event
from webapp.fleet.models import Camera
from webapp.monitoring.actions import UNSEEN, judge_pictures
from webapp.monitoring.folding import Measured, fold_features

pytestmark = pytest.mark.django_db

GOOD = FrameFeatures(0.5, 0.2, 120.0, 2.5, 0.01)
DARK = FrameFeatures(0.02, 0.02, 4.0, 2.5, 0.0)
BLURRED = FrameFeatures(0.5, 0.2, 5.0, 2.5, 0.0)


@pytest.fixture
def seen(camera: Camera, clock: Clock) -> Camera:
    """A camera that is online."""
    camera.agent.is_connected = True
    camera.agent.last_seen_at = clock.now() + timedelta(days=1)
    camera.agent.save()
    camera.state = Camera.State.ONLINE
    camera.save()
    return camera


def show(camera: Camera, clock: Clock, features: FrameFeatures, *, minutes: int) -> None:
    """Show the camera something for so long, judged each minute."""
    for _ in range(minutes):
        measured = (
            Measured(
                camera.organization_id.hex,
                camera.id.hex,
                clock.now() + timedelta(seconds=10 * part),
                features,
            )
            for part in range(6)
        )
        fold_features(measured)
        clock.advance(minutes=1)
        judge(clock)


def judge(clock: Clock) -> None:
    for _ in judge_pictures(at=clock.now()):
        pass


def show_days(camera: Camera, clock: Clock, features: FrameFeatures, *, days: int) -> None:
    """Have shown something at this hour of past days."""
    fold_features(
        Measured(
            camera.organization_id.hex,
            camera.id.hex,
            clock.now() - timedelta(days=day + 1) + timedelta(seconds=60 * part),
            features,
        )
        for day in range(days)
        for part in range(40)
    )


def test_it_works(seen: Camera, clock: Clock) -> None:
    show(seen, clock, GOOD, minutes=6)
    assert not Event.objects.exists()
    show(seen, clock, DARK, minutes=5)
    event = Event.objects.get()
    assert (event.kind, event.state, event.camera) == ("picture_dark", "running", seen)
    assert event.title == "Gate: too dark"
    assert event.detail.startswith("Brightness is 2% over the last minutes: below 8%")
    show(seen, clock, GOOD, minutes=3)
    event.refresh_from_db()
    assert event.state == "over"
    assert list(event.words.values_list("phase", "detail")) == [
        ("start", event.detail), ("end", "Brightness is 50% again."),
    ]  # fmt: skip


def test_a_moment_of_darkness_is_no_event(seen: Camera, clock: Clock) -> None:
    show(seen, clock, GOOD, minutes=4)
    show(seen, clock, DARK, minutes=1)
    show(seen, clock, GOOD, minutes=4)
    assert not Event.objects.exists()


def test_what_is_told_is_the_cause_and_only_once(seen: Camera, clock: Clock) -> None:
    show(seen, clock, DARK, minutes=30)
    event = Event.objects.get()
    assert event.kind == "picture_dark"
    assert event.spoken_at is not None
    assert clock.now() - event.spoken_at < timedelta(minutes=11)


def test_a_yard_that_is_dark_every_night_is_no_news(seen: Camera, clock: Clock) -> None:
    show_days(seen, clock, DARK, days=5)
    show(seen, clock, DARK, minutes=6)
    assert not Event.objects.exists()


def test_far_from_its_own_usual_figures_is_news(seen: Camera, clock: Clock) -> None:
    show_days(seen, clock, GOOD, days=5)
    show(seen, clock, FrameFeatures(0.15, 0.2, 120.0, 2.5, 0.0), minutes=6)
    event = Event.objects.get()
    assert event.kind == "picture_dark"
    assert "usually at this hour 50% to 50% (of 5 days)" in event.detail


def test_two_days_are_not_yet_usual(seen: Camera, clock: Clock) -> None:
    show_days(seen, clock, DARK, days=2)
    show(seen, clock, DARK, minutes=6)
    assert Event.objects.get().kind == "picture_dark"


def test_a_figure_on_its_limit_does_not_flap(seen: Camera, clock: Clock) -> None:
    show(seen, clock, BLURRED, minutes=5)
    for sharpness in (14.8, 15.4, 14.9, 15.6):
        show(seen, clock, FrameFeatures(0.5, 0.2, sharpness, 2.5, 0.0), minutes=3)
    assert Event.objects.get().state == "running"


def test_a_camera_of_which_nothing_is_seen_has_no_trouble_for_ever(
    seen: Camera, clock: Clock
) -> None:
    show(seen, clock, BLURRED, minutes=5)
    clock.advance(seconds=UNSEEN.total_seconds())
    judge(clock)
    assert Event.objects.get().state == "over"


def test_a_camera_that_is_switched_off_has_no_trouble(seen: Camera, clock: Clock) -> None:
    show(seen, clock, BLURRED, minutes=5)
    Camera.objects.update(is_enabled=False)
    judge(clock)
    assert Event.objects.get().state == "over"


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("frozen picture", "picture_frozen"),
        ("covered", "picture_covered"),
        ("moved", "picture_moved"),
        ("defocused", "picture_defocused"),
    ],
)
def test_what_its_agent_says_of_the_camera_is_told(
    seen: Camera, clock: Clock, word: str, kind: str
) -> None:
    tell(seen, word)
    judge(clock)
    judge(clock)
    event = Event.objects.get()
    assert (event.kind, event.state) == (kind, "running")
    tell(seen, "")
    judge(clock)
    event.refresh_from_db()
    assert event.state == "over"


def test_what_a_rule_tells_already_is_not_told_twice(seen: Camera, clock: Clock) -> None:
    Event.objects.create(
        organization=seen.organization,
        agent=seen.agent,
        camera=seen,
        kind="tampered",
        title="Gate was covered",
        severity=Event.Severity.WARNING,
        state=Event.State.RUNNING,
        occurred_at=clock.now(),
        received_at=clock.now(),
    )
    tell(seen, "covered")
    judge(clock)
    assert Event.objects.get().kind == "tampered"


def tell(camera: Camera, word: str) -> None:
    camera.image = {"brightness": 0.5, "tampered": word}
    camera.save()
