"""Every route x everybody: who gets in, who is told that nothing is there, who must log in.

The routes come from the resolver; what is expected of each is a row of `route_rows`. A route
without a row fails, so a new view is not there before somebody has decided who may use it.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
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
from tests.webapp.route_rows import OPEN, ROWS, UNSAFE, Row
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
