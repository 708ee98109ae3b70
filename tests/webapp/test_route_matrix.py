"""Every route x everybody: who gets in, who is told that nothing is there, who must log in.

The routes come from the resolver; what is expected of each is a row below. A route without a row
fails, so a new view is not there before somebody has decided who may use it.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Literal
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLResolver, get_resolver, reverse

from processing.wire.batch import BatchItem
from processing.wire.scene import Scene
from tests.factories import (
    START,
    make_clip,
    make_event,
    make_result,
    make_sample,
    make_thumbnail,
)
from webapp.accounts.models import Role, User
from webapp.batches.actions import add_shard
from webapp.batches.models import Batch
from webapp.batches.uploads import upload_path as batch_upload_path
from webapp.common.clock import now
from webapp.dashboard.scene_preview import ask_preview
from webapp.datasets.actions import IMPORT_SET, request_export
from webapp.datasets.models import Sample
from webapp.datasets.uploads import upload_path
from webapp.fleet.actions import create_join_token
from webapp.fleet.models import Bundle, Camera, JoinToken
from webapp.inference.keys import KeyTerms, create_key
from webapp.jobs.models import Job
from webapp.review.actions import open_item, submit_verdict
from webapp.review.models import Check, GoldAnswer, LabelerFlag, ReviewItem, Team, Verdict
from webapp.review.webhooks import add_webhook

Method = Literal["GET", "POST", "PATCH", "DELETE"]
UNSAFE: Final = ("POST", "PATCH", "DELETE")

MEMBERS: Final = frozenset(Role)
OPERATORS: Final = frozenset({Role.OPERATOR, Role.ADMIN})
LABELERS: Final = frozenset({Role.LABELER, Role.ADMIN})
ADMINS: Final = frozenset({Role.ADMIN})


@dataclass(frozen=True)
class Row:
    """What one method of one route does for everybody."""

    name: str
    method: Method
    who: frozenset[Role]
    of: str = ""
    """Which of `Objects` its address names; empty: it names none, so strangers see their own."""
    body: dict[str, object] = field(default_factory=dict)
    is_api: bool = False
    is_authors: bool = False
    """Only for the labeler whose work it is: to others with the role it is not there."""

    def __str__(self) -> str:
        return f"{self.method} {self.name}"


def page(
    name: str, who: frozenset[Role], method: Method = "GET", of: str = "", **body: object
) -> Row:
    return Row(name, method, who, of, body)


def api(
    name: str, who: frozenset[Role], method: Method = "GET", of: str = "", **body: object
) -> Row:
    return Row(name, method, who, of, body, is_api=True)


def read_only(name: str, who: frozenset[Role]) -> list[Row]:
    """A list of the API and its rows."""
    return [api(f"{name}-list", who), api(f"{name}-detail", who, of=name)]


ROWS: Final = [
    # the dashboard
    page("overview", MEMBERS),
    page("overview_headline", MEMBERS),
    page("overview_wall", MEMBERS),
    page("overview_agents", MEMBERS),
    page("overview_events", MEMBERS),
    page("camera", OPERATORS, of="camera"),
    page("camera_state", OPERATORS, of="camera"),
    page("camera_events", OPERATORS, of="camera"),
    page("camera_samples", OPERATORS, of="camera"),
    page("camera_counts", OPERATORS, of="camera"),
    page("camera_quality", OPERATORS, of="camera"),
    page("camera_overflow", OPERATORS, of="camera"),
    page("camera_overflow_facts", OPERATORS, of="camera"),
    page("camera_labels", OPERATORS, of="camera"),
    page("camera_settings", ADMINS, of="camera"),
    page("camera_settings", ADMINS, "POST", of="camera"),
    page("camera_scene", OPERATORS, of="camera"),
    page("camera_scene", OPERATORS, "POST", of="camera", revision=0),
    page("scene_preview_ask", OPERATORS, "POST", of="camera"),
    page("scene_preview", OPERATORS, of="preview"),
    page("camera_new", ADMINS, of="agent"),
    page("camera_new", ADMINS, "POST", of="agent"),
    page("health", OPERATORS),
    page("health_figures", OPERATORS),
    page("health_ping", OPERATORS),
    page("events", OPERATORS),
    page("event_page", OPERATORS, of="event"),
    page("event_media", OPERATORS, of="event"),
    page("event_life", OPERATORS, of="event"),
    page("event_take_note", OPERATORS, "POST", of="event"),
    page("event_take_back", OPERATORS, "POST", of="event"),
    page("event_false_alarm", OPERATORS, "POST", of="event"),
    page("event_true_alarm", OPERATORS, "POST", of="event"),
    page("event_report", OPERATORS, "POST", of="event"),
    page("event_say", OPERATORS, "POST", of="event"),
    page("events_take_note", OPERATORS, "POST"),
    page("event_clip_part", OPERATORS, of="clip"),
    page("event_clip_ask", OPERATORS, "POST", of="clip"),
    page("jobs", MEMBERS),
    page("job_cancel", ADMINS, "POST", of="job"),
    page("job_retry", ADMINS, "POST", of="job"),
    page("agents", OPERATORS),
    page("agent_join", ADMINS, "POST"),
    # review
    page("review", LABELERS),
    page("review_waiting", LABELERS),
    page("review_no_work", LABELERS),
    page("review_next", LABELERS, "POST"),
    page("review_undo", LABELERS, "POST"),
    page("review_keys", LABELERS, "POST", keys={}),
    page("review_labelers", LABELERS),
    page("review_flag_close", ADMINS, "POST", of="labeler-flag"),
    page("review_flag_revert", ADMINS, of="labeler-flag"),
    page("review_flag_revert", ADMINS, "POST", of="labeler-flag"),
    page("review_check_next", LABELERS, "POST"),
    page("review_check_item", ADMINS, of="checking"),
    page("review_check_decide", ADMINS, "POST", of="checking", decision="accept", revision=0),
    Row("review_undo_one", "POST", LABELERS, of="verdict", is_authors=True),
    page("review_item", LABELERS, of="item"),
    page("review_start", LABELERS, "POST", of="item"),
    page("review_submit", LABELERS, "POST", of="item", revision=0, boxes=[]),
    page("review_skip", LABELERS, "POST", of="item", revision=0, skip_as="passed"),
    page("review_renew", LABELERS, "POST", of="item"),
    page("review_release", LABELERS, "POST", of="item"),
    page("webhooks", ADMINS),
    page("webhook_add", ADMINS, "POST", url="https://example.org/"),
    page("webhook_switch", ADMINS, "POST", of="webhook"),
    page("webhook_test", ADMINS, "POST", of="webhook"),
    page("webhook_delete", ADMINS, "POST", of="webhook"),
    # inference
    page("inference", OPERATORS),
    page("inference_route", OPERATORS, "POST"),
    page("inference_traffic", OPERATORS),
    page("inference_try", OPERATORS),
    page("inference_try_token", OPERATORS, "POST"),
    page("api_keys", ADMINS),
    page("api_key_add", ADMINS, "POST"),
    page("api_key_revoke", ADMINS, "POST", of="api-key"),
    # pictures
    page("picture", MEMBERS, of="sample"),
    page("thumbnail", MEMBERS, of="sample"),
    page("event_thumbnail", OPERATORS, of="event"),
    page("event_clip", OPERATORS, of="clip"),
    # what comes in and goes out
    page("imports", LABELERS),
    page("import_cancel", LABELERS, "POST", of="import"),
    Row("import_upload", "POST", LABELERS, of="upload", is_authors=True),
    page("exports", LABELERS),
    page("export_start", LABELERS, "POST"),
    page("export_cancel", ADMINS, "POST", of="job"),
    # batches
    page("batches", MEMBERS),
    page("batch_new", OPERATORS),
    page("batch", MEMBERS, of="batch"),
    page("batch_pictures", MEMBERS, of="batch"),
    page("batch_picture", MEMBERS, of="batch"),
    page("batch_pause", OPERATORS, "POST", of="batch"),
    page("batch_resume", OPERATORS, "POST", of="batch"),
    page("batch_cancel", OPERATORS, "POST", of="batch"),
    page("batch_retry", OPERATORS, "POST", of="batch"),
    Row("batch_upload", "POST", OPERATORS, of="batch-upload", is_authors=True),
    # the API
    *read_only("site", OPERATORS),
    api("site-list", ADMINS, "POST"),
    api("site-detail", ADMINS, "PATCH", of="site"),
    *read_only("agent", OPERATORS),
    api("agent-revoke", ADMINS, "POST", of="agent"),
    *read_only("join-token", ADMINS),
    api("join-token-list", ADMINS, "POST"),
    api("camera-api-list", OPERATORS),
    api("camera-api-list", ADMINS, "POST"),
    api("camera-api-detail", OPERATORS, of="camera"),
    api("camera-api-detail", ADMINS, "PATCH", of="camera"),
    api("camera-api-detail", ADMINS, "DELETE", of="camera"),
    *read_only("result", OPERATORS),
    api("result-export", OPERATORS),
    api("count-list", OPERATORS),
    api("zone-count-list", OPERATORS),
    api("feature-list", OPERATORS),
    *read_only("event", OPERATORS),
    api("event-ask-clips", OPERATORS, "POST", of="event"),
    api("event-acknowledge", OPERATORS, "POST", of="event"),
    api("event-unacknowledge", OPERATORS, "POST", of="event"),
    api("event-acknowledge-many", OPERATORS, "POST"),
    api("event-false-alarm", OPERATORS, "POST", of="event"),
    api("event-not-false-alarm", OPERATORS, "POST", of="event"),
    api("event-deeds", OPERATORS, of="event"),
    api("event-comments", OPERATORS, "POST", of="event", text="Hello"),
    api("report-list", OPERATORS, "POST"),
    *read_only("sample", MEMBERS),
    *read_only("team", LABELERS),
    api("team-list", ADMINS, "POST"),
    api("team-detail", ADMINS, "PATCH", of="team"),
    api("team-detail", ADMINS, "DELETE", of="team"),
    *read_only("review-queue", LABELERS),
    api("review-queue-list", ADMINS, "POST"),
    api("review-queue-detail", ADMINS, "PATCH", of="review-queue"),
    api("review-queue-next", LABELERS, "POST", of="review-queue"),
    api("review-queue-next-check", ADMINS, "POST", of="review-queue"),
    api("review-queue-quality", LABELERS, of="review-queue"),
    *read_only("review-item", LABELERS),
    api("review-item-detail", ADMINS, "PATCH", of="item"),
    api("review-item-work", LABELERS, of="item"),
    api("review-item-start", LABELERS, "POST", of="item"),
    api("review-item-renew", LABELERS, "POST", of="item"),
    api("review-item-release", LABELERS, "POST", of="item"),
    api("review-item-verdict", LABELERS, "POST", of="item"),
    api("review-item-skip", LABELERS, "POST", of="item"),
    api("review-item-check", ADMINS, of="checking"),
    api("review-item-check", ADMINS, "POST", of="checking", decision="accept", revision=0),
    *read_only("verdict", LABELERS),
    Row("verdict-undo", "POST", LABELERS, of="verdict", is_api=True, is_authors=True),
    *read_only("check", LABELERS),
    *read_only("gold-answer", ADMINS),
    api("gold-answer-list", ADMINS, "POST"),
    api("gold-answer-retire", ADMINS, "POST", of="gold-answer"),
    *read_only("labeler-flag", ADMINS),
    api("labeler-flag-close", ADMINS, "POST", of="labeler-flag"),
    api("labeler-flag-revert", ADMINS, "POST", of="labeler-flag"),
    *read_only("export", LABELERS),
    api("export-list", LABELERS, "POST"),
    api("export-file", LABELERS, of="export"),
    *read_only("import", LABELERS),
    Row("import-list", "POST", LABELERS, body={"name": "set.zip"}, is_api=True),
    *read_only("batch", MEMBERS),
    api("batch-list", OPERATORS, "POST"),
    api("batch-pause", OPERATORS, "POST", of="batch"),
    api("batch-resume", OPERATORS, "POST", of="batch"),
    api("batch-cancel", OPERATORS, "POST", of="batch"),
    api("batch-retry", OPERATORS, "POST", of="batch"),
    api("batch-pictures", MEMBERS, of="batch"),
    api("batch-results", MEMBERS, of="batch"),
    api("batch-bundles", MEMBERS),
    *read_only("webhook", ADMINS),
    api("webhook-list", ADMINS, "POST", url="https://example.org/"),
    api("webhook-detail", ADMINS, "PATCH", of="webhook"),
    api("webhook-detail", ADMINS, "DELETE", of="webhook"),
    api("webhook-test", ADMINS, "POST", of="webhook"),
    *read_only("api-key", ADMINS),
    api("api-key-list", ADMINS, "POST", scopes=["detect"]),
    api("api-key-revoke", ADMINS, "POST", of="api-key"),
    api("inference-usage-list", OPERATORS),
    api("inference-models", MEMBERS),
    api("inference-models", OPERATORS, "PATCH"),
    *read_only("job", MEMBERS),
    api("job-cancel", ADMINS, "POST", of="job"),
    api("job-retry", ADMINS, "POST", of="job"),
    api("schema", MEMBERS),
    api("docs", MEMBERS),
]

OPEN: Final = {
    "login", "logout", "healthz", "metrics", "agent-enroll", "clip_upload", "tier-grants",
    "tier-reports",
}  # fmt: skip
"""Without a login; what they do is tested by name elsewhere."""

READABLE: Final = {row.name for row in ROWS if row.method == "GET"}
WRITE_ONLY: Final = [row for row in ROWS if row.name not in READABLE]
each_row = pytest.mark.parametrize("row", ROWS, ids=str)


@dataclass(frozen=True)
class Objects:
    """One row of every kind that an address may name, by the names of `Row.of`."""

    ids: dict[str, object]

    def path(self, row: Row) -> str:
        return reverse(row.name, args=[self.ids[row.of]] if row.of else [])


@pytest.fixture
def objects(
    camera: Camera, bundle: Bundle, alice: User, bob: User, people: dict[Role, User]
) -> Objects:
    """Acme has one of each."""
    organization = camera.organization
    sample = make_sample(camera, bundle)
    sample.thumbnail = sample.picture
    sample.save()
    item = open_item(sample=sample, at=START)
    done = open_item(sample=make_sample(camera, bundle), at=START)
    verdict = submit_verdict(item=done, by=bob, revision=done.revision, boxes=[], at=now())
    checking = open_item(sample=make_sample(camera, bundle), at=START)
    submit_verdict(item=checking, by=bob, revision=0, boxes=[], at=now())
    ReviewItem.objects.filter(pk=checking.pk).update(state=ReviewItem.State.CHECKING)
    create_join_token(camera.agent.site, by=alice, at=now())
    job = request_export(organization=organization, camera_ids=[], by=alice, at=now())
    job.arguments["has_known_answers"] = False  # with any in it, it is for admins alone
    job.save()
    finished = Job.objects.create(
        organization=organization,
        kind=job.kind,
        created_by=alice,
        created_at=now(),
        state=Job.State.DONE,
        arguments={"has_known_answers": False},
        result={"blob": str(sample.picture_id)},
    )
    imported = Job.objects.create(
        organization=organization, kind=IMPORT_SET, created_by=bob, created_at=now()
    )
    event = make_event(organization, camera=camera, agent=camera.agent)
    make_thumbnail(event)
    clip = make_clip(event, state="here", blob=sample.picture)
    return Objects(
        {
            "camera": camera.id,
            "agent": camera.agent_id,
            "site": camera.agent.site_id,
            "item": item.id,
            "review-item": item.id,
            "verdict": verdict.id,
            "checking": checking.id,
            "review-queue": item.queue_id,
            **_about_quality(verdict, by=alice),
            "sample": sample.id,
            "join-token": JoinToken.objects.get().id,
            "result": make_result(camera, bundle).id,
            "event": event.id,
            "clip": clip.id,
            "export": finished.id,
            "import": imported.id,
            "webhook": add_webhook(
                organization=organization, url="https://example.org/", by=alice, at=now()
            ).id,
            "api-key": create_key(organization, KeyTerms("App"), by=alice, at=now()).key.id,
            "upload": upload_path(imported.pk).rsplit("/", 1)[1],
            "job": job.id,
            **_batches(sample, by=people[Role.OPERATOR]),
            "preview": ask_preview(camera, Scene(), by=alice, at=now()).id,
        }
    )


def _batches(sample: Sample, *, by: User) -> dict[str, object]:
    """Return a batch of one picture, and the address where another's is awaited."""
    facts = {
        "organization": sample.organization,
        "bundle": "0" * 32,
        "labels": ["person"],
        "min_score": 0.4,
        "created_by": by,
        "created_at": now(),
    }
    batch = Batch.objects.create(source="samples", state="running", n_items=1, **facts)
    item = BatchItem("a.jpg", sample.picture.path, sample.picture.size)
    add_shard(batch, first=0, items=(item,), at=now())
    awaiting = Batch.objects.create(source="upload", state="awaited", **facts)
    return {
        "batch": batch.pk,
        "batch-upload": batch_upload_path(awaiting.pk).rsplit("/", 1)[1],
    }


def _about_quality(verdict: Verdict, *, by: User) -> dict[str, object]:
    """Return what is there where somebody looks after a labeler's work."""
    mine = {"organization": verdict.organization, "created_at": START}
    flagged = {"n_judged": 9, "mean_error": 0.4, "raised_at": START}
    queue = verdict.item.queue
    assert verdict.annotation is not None
    assert verdict.by is not None
    return {
        "team": Team.objects.create(organization=verdict.organization, name="Night").id,
        "check": Check.objects.create(verdict=verdict, by=by, decision="accepted", **mine).id,
        "gold-answer": GoldAnswer.objects.create(
            item=verdict.item, annotation=verdict.annotation, **mine
        ).id,
        "labeler-flag": LabelerFlag.objects.create(
            organization=queue.organization, queue=queue, labeler=verdict.by, **flagged
        ).id,
    }


@pytest.fixture
def people(alice: User, bob: User, olga: User) -> dict[Role, User]:
    return {Role.ADMIN: alice, Role.LABELER: bob, Role.OPERATOR: olga}


def ask(client: Client, row: Row, path: str) -> int:
    answer = client.generic(row.method, path, json.dumps(row.body), content_type="application/json")
    answer.close()
    return int(answer.status_code)


def routes(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    """Yield the full name of every route; one without a name yields its pattern."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern, inner)
        else:
            yield f"{namespace}{pattern.name or pattern.pattern}"


def test_every_route_has_its_row() -> None:
    found = {name for name in routes(get_resolver()) if not name.startswith("admin")}
    assert found - {row.name for row in ROWS} - OPEN == set(), "who may use these?"


def test_every_row_has_its_route() -> None:
    assert {row.name for row in ROWS} | OPEN <= set(routes(get_resolver()))


@each_row
def test_nobody_gets_nothing(client: Client, objects: Objects, row: Row) -> None:
    path = objects.path(row)
    answer = client.generic(row.method, path, json.dumps(row.body), content_type="application/json")
    if row.is_api:
        assert answer.status_code == HTTPStatus.UNAUTHORIZED
    else:
        assert answer.status_code == HTTPStatus.FOUND
        assert answer.headers["Location"] == f"/login/?next={path}"


@pytest.mark.parametrize("role", Role)
@each_row
def test_members_get_what_their_role_allows(
    client: Client, objects: Objects, people: dict[Role, User], row: Row, role: Role
) -> None:
    client.force_login(people[role])
    status = ask(client, row, objects.path(row))
    if row.is_authors and role == Role.ADMIN:
        assert status == HTTPStatus.NOT_FOUND
    elif role in row.who:
        refusals = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
        assert status not in refusals | {HTTPStatus.METHOD_NOT_ALLOWED}
        assert status < HTTPStatus.INTERNAL_SERVER_ERROR
        assert row.method != "GET" or status == HTTPStatus.OK
    else:
        assert status == HTTPStatus.FORBIDDEN


@each_row
def test_what_is_somebody_elses_is_not_there(
    client: Client, objects: Objects, charlie: User, row: Row
) -> None:
    client.force_login(charlie)  # an admin, of another organization
    path = objects.path(row)
    status = ask(client, row, path)
    if row.of:
        assert status == HTTPStatus.NOT_FOUND
    else:
        assert status not in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
        assert status < HTTPStatus.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize("row", [row for row in ROWS if row.of], ids=str)
def test_what_was_never_there_looks_like_what_is_somebody_elses(
    client: Client, objects: Objects, alice: User, row: Row
) -> None:
    client.force_login(alice)
    nowhere = Objects(dict.fromkeys(objects.ids, uuid4()))
    assert ask(client, row, nowhere.path(row)) == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("row", [row for row in ROWS if row.method in UNSAFE], ids=str)
def test_a_write_without_its_csrf_token_is_refused(objects: Objects, alice: User, row: Row) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert ask(client, row, objects.path(row)) == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("row", WRITE_ONLY, ids=str)
def test_reading_where_one_writes_changes_nothing(
    client: Client, objects: Objects, alice: User, row: Row
) -> None:
    client.force_login(alice)
    assert ask(client, Row(row.name, "GET", row.who), objects.path(row)) == 405


def admin_paths() -> Iterator[str]:
    """Yield the path of every page of the admin; ids in it are made up."""
    for name in sorted(set(routes(get_resolver()))):
        if name.startswith("admin:") and name != "admin:login":
            for made_up in ([], [str(UUID(int=7))], ["fleet"]):
                with suppress(NoReverseMatch):
                    yield reverse(name, args=made_up)
                    break


ADMIN_PATHS: Final = list(admin_paths())


@pytest.mark.parametrize("who", [None, *Role])
@pytest.mark.parametrize("path", ADMIN_PATHS)
def test_the_admin_is_closed_to_whoever_is_no_staff(
    client: Client, people: dict[Role, User], path: str, who: Role | None
) -> None:
    if who is not None:
        client.force_login(people[who])
    for method in ("GET", "POST"):
        answer = client.generic(method, path)
        assert answer.status_code == HTTPStatus.FOUND
        is_logout = path == reverse("admin:logout")
        assert "/login/" in answer.headers["Location"] or is_logout


def test_the_admins_pages_were_found() -> None:
    assert len(ADMIN_PATHS) > 70
