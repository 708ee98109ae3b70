"""What a draft would have told of the last hour, by the agent's own rules over stored results."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from processing.wire.packed import PackedDetection, pack
from processing.wire.scene import Crossed, InZone, Line, Rule, Scene, Tampered, Zone
from tests.factories import START, Clock, make_bundle, make_camera, make_result
from webapp.accounts.models import User
from webapp.dashboard import tasks
from webapp.dashboard.scene_preview import PREVIEW, TooManyPreviews, ask_preview
from webapp.fleet.models import Bundle, Camera
from webapp.fleet.wishes import plain
from webapp.jobs.models import Job
from webapp.jobs.registry import HANDLERS
from webapp.jobs.running import JobRunner
from webapp.jobs.worker import LEASE, load_tasks

YARD = Zone(
    zone_id=UUID(int=1), name="Yard", polygon=((0.4, 0.0), (0.8, 0.0), (0.8, 1.0), (0.4, 1.0))
)
GATE = Line(line_id=UUID(int=2), name="Gate", start=(0.6, 0.0), end=(0.6, 1.0))


def rule(number: int, condition: Any, *labels: str, quiet_s: float = 0.0) -> Rule:
    return Rule(
        rule_id=UUID(int=number), name=f"Rule {number}", condition=condition, labels=labels,
        quiet_s=quiet_s,
    )  # fmt: skip


STAYS = rule(10, InZone(zone_id=YARD.zone_id, after_s=2.0), "person")
CROSSES = rule(11, Crossed(line_id=GATE.line_id))
COVERED = rule(12, Tampered(after_s=1.0))
SCENE = Scene(zones=(YARD,), lines=(GATE,), rules=(STAYS, CROSSES, COVERED))


def walk(camera: Camera, bundle: Bundle, begin: datetime, *, track: int, label: int = 0) -> None:
    """Somebody goes from the left to the right in ten seconds."""
    for step in range(21):
        x = step / 20 * 0.9
        found = PackedDetection(x, 0.3, x + 0.1, 0.9, 0.8, label, track)
        at = begin + timedelta(seconds=step / 2)
        make_result(camera, bundle, captured_at=at, detections=pack([found]))


def done(job: Job, clock: Clock) -> dict[str, Any]:
    load_tasks()
    JobRunner(handlers=HANDLERS, clock=clock.now, lease=LEASE).run(job.id, job.attempt + 1)
    job.refresh_from_db()
    assert job.state == Job.State.DONE, job.error
    return dict(job.result)


def test_it_works(camera: Camera, bundle: Bundle, olga: User, clock: Clock) -> None:
    walk(camera, bundle, START - timedelta(minutes=30), track=1)
    walk(camera, bundle, START - timedelta(minutes=10), track=2, label=2)
    walk(camera, bundle, START - timedelta(minutes=70), track=3)
    walk(make_camera(camera.agent), bundle, START - timedelta(minutes=20), track=4)
    told = done(ask_preview(camera, SCENE, by=olga, at=clock.now()), clock)
    assert told["counts"] == {str(STAYS.rule_id): 1, str(CROSSES.rule_id): 2}
    assert told["blind"] == [str(COVERED.rule_id)]
    assert (told["n_results"], told["is_cut"]) == (42, False)
    first = told["events"][0]
    assert first["rule"] in {str(STAYS.rule_id), str(CROSSES.rule_id)}
    stayed = next(each for each in told["events"] if each["rule"] == str(STAYS.rule_id))
    assert "Yard" in stayed["title"]
    began, ended = (datetime.fromisoformat(stayed[name]) for name in ("at", "until"))
    assert START - timedelta(minutes=30) < began < ended < START - timedelta(minutes=29)


def test_another_bundle_means_other_classes(
    camera: Camera, bundle: Bundle, olga: User, clock: Clock
) -> None:
    other = make_bundle(camera.organization, labels=["car", "person"])
    walk(camera, bundle, START - timedelta(minutes=30), track=1)
    walk(camera, other, START - timedelta(minutes=20), track=2, label=1)
    walk(camera, other, START - timedelta(minutes=10), track=3, label=0)
    told = done(ask_preview(camera, SCENE, by=olga, at=clock.now()), clock)
    assert told["counts"][str(STAYS.rule_id)] == 2


def test_an_hour_without_results_is_quiet(camera: Camera, olga: User, clock: Clock) -> None:
    told = done(ask_preview(camera, SCENE, by=olga, at=clock.now()), clock)
    assert (told["counts"], told["events"], told["n_results"]) == ({}, [], 0)


def test_only_the_newest_results_and_the_first_events_are_told(
    camera: Camera, bundle: Bundle, olga: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "MAX_RESULTS", 42)
    monkeypatch.setattr(tasks, "MAX_EVENTS", 1)
    for minutes in (40, 30, 20):
        walk(camera, bundle, START - timedelta(minutes=minutes), track=minutes)
    told = done(ask_preview(camera, SCENE, by=olga, at=clock.now()), clock)
    assert (told["n_results"], told["is_cut"], len(told["events"])) == (42, True, 1)
    assert told["counts"][str(CROSSES.rule_id)] == 2
    assert datetime.fromisoformat(told["since"]) == START - timedelta(minutes=30)


def test_a_new_draft_calls_the_last_one_off(
    camera: Camera, olga: User, alice: User, clock: Clock
) -> None:
    first = ask_preview(camera, SCENE, by=olga, at=clock.now())
    others = ask_preview(camera, SCENE, by=alice, at=clock.now())
    ask_preview(camera, SCENE, by=olga, at=clock.now())
    first.refresh_from_db()
    others.refresh_from_db()
    assert (first.state, others.state) == (Job.State.CANCELLED, Job.State.WAITING)


def test_an_organization_does_not_fill_the_queue(
    camera: Camera, olga: User, alice: User, clock: Clock
) -> None:
    for _ in range(20):
        ask_preview(make_camera(camera.agent), SCENE, by=olga, at=clock.now())
    with pytest.raises(TooManyPreviews):
        ask_preview(camera, SCENE, by=alice, at=clock.now())


def test_the_editor_asks_and_follows(
    client: Client, camera: Camera, bundle: Bundle, olga: User, clock: Clock
) -> None:
    client.force_login(olga)
    path = f"/cameras/{camera.pk}/scene/preview/"
    asked = client.post(path, plain(SCENE), content_type="application/json")
    assert asked.status_code == 202
    url = asked.json()["url"]
    assert client.get(url).json()["state"] == "waiting"
    done(Job.objects.get(kind=PREVIEW), clock)
    answer = client.get(url)
    assert (answer.json()["state"], answer.json()["result"]["counts"]) == ("done", {})
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"rules": [{"rule_id": "x"}]}, "rules.0.rule_id"),
        ({"colour": "red"}, "colour"),
        (plain(Scene(rules=(STAYS,))), "rules.0.condition.zone_id"),
    ],
)
def test_a_draft_that_is_none_is_refused_by_field(
    client: Client, camera: Camera, olga: User, body: object, field: str
) -> None:
    client.force_login(olga)
    path = f"/cameras/{camera.pk}/scene/preview/"
    answer = client.post(path, body, content_type="application/json")
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == {field}
    assert not Job.objects.exists()
