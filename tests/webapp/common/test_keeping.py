"""What has been kept for its days goes, with its files; the rest stays."""

from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from tests.factories import (
    START,
    make_agent,
    make_blob,
    make_camera,
    make_clip,
    make_event,
    make_result,
    make_review_item,
    make_sample,
    make_site,
    make_thumbnail,
)
from webapp.accounts.models import Organization, User
from webapp.common.keeping import all_kept, count_old, forget_old, n_table_bytes
from webapp.datasets.models import Sample
from webapp.events.models import Clip, Event, Thumbnail
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.jobs.models import Job
from webapp.media.models import Blob
from webapp.monitoring.models import FeatureHour, FeatureMinute
from webapp.results.models import (
    CameraHour,
    CameraMinute,
    Folded,
    LabelHour,
    LabelMinute,
    LostRange,
    Result,
)
from webapp.review.models import Verdict

pytestmark = pytest.mark.django_db
NOW = START + timedelta(days=1000)


@pytest.fixture(autouse=True)
def ten_days(settings: Settings) -> None:
    """Everything is kept for ten days."""
    settings.KEEP_DAYS = dict.fromkeys(settings.KEEP_DAYS, 10)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def gone_at(at: datetime) -> dict[str, int]:
    gone: dict[str, int] = {}
    for name, n_rows in forget_old(at):
        gone[name] = gone.get(name, 0) + n_rows
    return gone


def test_every_class_has_days_and_every_days_a_class(settings: Settings) -> None:
    assert {kept.name for kept in all_kept()} == set(settings.KEEP_DAYS)


def test_old_results_go(camera: Camera, bundle: Bundle) -> None:
    for days in (1000, 12, 11.9, 5, 0):
        make_result(camera, bundle, captured_at=days_ago(days))
    assert gone_at(NOW) == {"results": 3}
    assert Result.objects.count() == 2


def test_old_counts_go(camera: Camera, bundle: Bundle) -> None:
    theirs: dict[str, Any] = {"camera": camera, "organization": camera.organization}
    boxes = {"bundle": bundle, "label": 0, "n_detections": 1, "n_tracks": 1, "peak": 1}
    sketch = dict.fromkeys(("brightness", "contrast", "sharpness", "noise", "motion"), b"")
    for days in (11, 9):
        CameraMinute.objects.create(minute_at=days_ago(days), n_results=1, **theirs)
        LabelMinute.objects.create(minute_at=days_ago(days), **theirs, **boxes)
        CameraHour.objects.create(hour_at=days_ago(days), n_results=1, **theirs)
        LabelHour.objects.create(hour_at=days_ago(days), **theirs, **boxes)
        FeatureMinute.objects.create(begins_at=days_ago(days), n_frames=1, **theirs, **sketch)
        FeatureHour.objects.create(begins_at=days_ago(days), n_frames=1, **theirs, **sketch)
    Folded.objects.create(until=NOW)
    assert gone_at(NOW) == {"minutes": 2, "hours": 2, "features": 1, "feature_hours": 1}


def test_an_old_event_goes_with_its_files(
    camera: Camera, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    for days in (11, 9):
        event = make_event(
            camera.organization,
            camera=camera,
            agent=camera.agent,
            occurred_at=days_ago(days),
            event_id=uuid4(),
        )
        make_thumbnail(event, blob=make_blob(camera.organization, b"picture %d" % days))
        blob = make_blob(camera.organization, b"clip %d" % days, content_type="video/mp4")
        make_clip(event, state=Clip.State.HERE, blob=blob)
    paths = {blob.path for blob in Blob.objects.all()}
    with django_capture_on_commit_callbacks(execute=True):
        assert gone_at(NOW) == {"events": 1}
    assert [Event.objects.count(), Thumbnail.objects.count(), Clip.objects.count()] == [1, 1, 1]
    kept = {blob.path for blob in Blob.objects.all()}
    assert len(kept) == 2
    assert {path for path in paths if default_storage.exists(path)} == kept


def test_an_event_that_goes_on_stays(camera: Camera) -> None:
    begun: dict[str, Any] = {"camera": camera, "occurred_at": days_ago(50)}
    make_event(camera.organization, state=Event.State.RUNNING, **begun)
    make_event(camera.organization, state=Event.State.OVER, ended_at=days_ago(1), **begun)
    assert gone_at(NOW) == {}


def test_a_picture_that_another_still_needs_stays(camera: Camera) -> None:
    shared = make_blob(camera.organization)
    for days in (11, 9):
        event = make_event(camera.organization, agent=camera.agent, occurred_at=days_ago(days))
        make_thumbnail(event, blob=shared)
    assert gone_at(NOW) == {"events": 1}
    assert Blob.objects.filter(pk=shared.pk).exists()


def test_a_thumbnail_whose_event_never_came_goes(acme: Organization, agent: Agent) -> None:
    for days in (11, 9):
        Thumbnail.objects.create(
            organization=acme, agent=agent, event_id=uuid4(), blob=make_blob(acme), score=0.5,
            captured_at=days_ago(days), width=1, height=1,
        )  # fmt: skip
    assert gone_at(NOW) == {"thumbnails": 1}


def test_samples_that_somebody_judged_stay(camera: Camera, bundle: Bundle, bob: User) -> None:
    _old, young, judged = (
        make_review_item(make_sample(camera, bundle, received_at=days_ago(days)))
        for days in (11, 9, 11)
    )
    Verdict.objects.create(
        organization=camera.organization, item=judged, by=bob, outcome=Verdict.Outcome.AMBIGUOUS,
        created_at=days_ago(10.5),
    )  # fmt: skip
    assert gone_at(NOW) == {"samples": 1}
    assert set(Sample.objects.all()) == {young.sample, judged.sample}


def test_an_export_goes_with_its_file_when_nobody_offers_it_any_more(acme: Organization) -> None:
    def export(days: float, blob: Blob) -> None:
        done: dict[str, Any] = {"state": Job.State.DONE, "created_at": days_ago(days)}
        Job.objects.create(
            organization=acme, kind="export_set", finished_at=days_ago(days),
            result={"blob": str(blob.id)}, **done,
        )  # fmt: skip

    alone, shared = (
        make_blob(acme, content, content_type="application/json") for content in (b"1", b"2")
    )
    export(11, alone)
    export(11, shared)
    export(9, shared)
    assert gone_at(NOW) == {"exports": 2}
    assert list(Blob.objects.all()) == [shared]


def test_jobs_that_are_over_go_and_others_stay(acme: Organization) -> None:
    for state, at in (
        (Job.State.DONE, days_ago(11)),
        (Job.State.FAILED, days_ago(9)),
        (Job.State.WAITING, None),
    ):
        Job.objects.create(
            organization=acme, kind="x", state=state, created_at=days_ago(20), finished_at=at
        )
    assert gone_at(NOW) == {"jobs": 1}


def test_a_picture_goes_that_nothing_needs_but_no_export(
    acme: Organization, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    stray = make_blob(acme, b"stray")
    called_off = make_blob(acme, b"import", content_type="application/octet-stream")
    export = make_blob(acme, b"export", content_type="application/json")
    needed = make_thumbnail(make_event(acme, agent=make_agent(make_site(acme)))).blob
    Event.objects.update(occurred_at=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        assert gone_at(NOW) == {"files": 2}
    assert set(Blob.objects.all()) == {export, needed}
    assert not default_storage.exists(stray.path)
    assert not default_storage.exists(called_off.path)


def test_old_losses_go(acme: Organization, agent: Agent) -> None:
    for days in (11, 9):
        LostRange.objects.create(
            organization=acme, agent=agent, epoch=1, lane="results", first_seq=days, last_seq=days,
            reason=LostRange.Reason.OUTBOX_FULL, noticed_at=days_ago(days),
        )  # fmt: skip
    assert gone_at(NOW) == {"losses": 1}


def test_no_days_is_for_ever(camera: Camera, bundle: Bundle, settings: Settings) -> None:
    settings.KEEP_DAYS = dict.fromkeys(settings.KEEP_DAYS, 0)
    make_result(camera, bundle, captured_at=days_ago(900))
    assert gone_at(NOW) == {}


def test_many_go_in_batches_and_what_was_interrupted_goes_on(camera: Camera, agent: Agent) -> None:
    CameraMinute.objects.bulk_create(
        CameraMinute(
            camera=camera,
            organization=camera.organization,
            minute_at=START + timedelta(minutes=n),
            n_results=1,
        )
        for n in range(1200)
    )
    Folded.objects.create(until=NOW)
    make_camera(make_agent(agent.site))
    first = next(iter(forget_old(NOW)))
    assert (first.name, first.n_rows, CameraMinute.objects.count()) == ("minutes", 500, 700)
    assert [forgotten.n_rows for forgotten in forget_old(NOW)] == [500, 200]


def test_a_dry_run_says_what_would_go_and_leaves_it(camera: Camera, bundle: Bundle) -> None:
    make_result(camera, bundle, captured_at=days_ago(2000))
    said = StringIO()
    call_command("keep", "--dry-run", stdout=said)
    lines = said.getvalue().splitlines()
    assert lines[0].split() == ["class", "kept", "rows", "to", "go", "disk"]
    results = next(line for line in lines if line.startswith("results"))
    assert results.split()[1:4] == ["10", "days", "1"]
    assert Result.objects.count() == 1
    call_command("keep", stdout=StringIO())
    assert Result.objects.count() == 0


def test_each_class_says_what_disk_it_uses(camera: Camera, bundle: Bundle) -> None:
    make_result(camera, bundle)
    used = {kept.name: n_table_bytes(kept) for kept in all_kept() if kept.models}
    assert all(n_bytes > 0 for n_bytes in used.values())
    assert {count_old(kept, START) for kept in all_kept()} == {0}
