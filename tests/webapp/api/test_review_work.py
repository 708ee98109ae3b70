"""All of a labeler's and a checker's work over HTTP."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.factories import START, make_review_item, make_sample, make_user
from webapp.accounts.models import Organization, Role, User
from webapp.common.clock import now
from webapp.fleet.models import Bundle, Camera
from webapp.review.models import LabelerFlag, ReviewItem, Team
from webapp.review.picking import open_item

A_CAR = {"xyxy": [0.1, 0.2, 0.5, 0.6], "label": "car"}
A_PERSON = {"xyxy": [0.1, 0.2, 0.5, 0.6], "label": "person"}

Ask = Callable[..., Any]


@pytest.fixture
def item(camera: Camera, bundle: Bundle) -> ReviewItem:
    return make_review_item(make_sample(camera, bundle), at=now())


@pytest.fixture
def bea(acme: Organization) -> User:
    return make_user("bea", organization=acme, role=Role.LABELER)


def as_user(user: User) -> Ask:
    """Return what asks the API as `user`: method, path below v1, body; it gives status and JSON."""
    client = Client()
    client.force_login(user)

    def ask(method: str, path: str, body: object = None, status: int = 200) -> Any:
        answer = client.generic(
            method,
            f"/api/v1/{path}",
            json.dumps({} if body is None else body),
            content_type="application/json",
        )
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None

    return ask


def test_two_labelers_a_disagreement_and_its_end(
    item: ReviewItem, camera: Camera, bundle: Bundle, alice: User, bob: User, bea: User
) -> None:
    admin, first, second = as_user(alice), as_user(bob), as_user(bea)
    queue = f"review-queues/{item.queue_id}/"
    assert admin("PATCH", queue, {"n_labelers": 2, "gold_share": 0.5})["n_labelers"] == 2
    shared = open_item(sample=make_sample(camera, bundle, score=0.5), at=now())
    admin("PATCH", f"review-items/{item.pk}/", {"assignee": str(alice.pk)})

    work = first("POST", f"{queue}next/")
    assert work["item"]["id"] == str(shared.pk)
    assert work["item"]["held_by"]["is_me"]
    path = f"review-items/{shared.pk}/"
    assert first("POST", f"{path}renew/")["active_s"] >= 0
    saved = first("POST", f"{path}verdict/", {"revision": 0, "boxes": [A_CAR]}, 201)
    assert saved["findings"] == {"predictions": ["false", "false"], "n_missed": 1}
    assert first("POST", f"{queue}next/")["item"] is None

    second("POST", f"{path}start/")
    assert second("GET", f"{path}work/")["decided"] is None
    assert second("GET", f"verdicts/?item={shared.pk}")["results"] == []  # blind
    assert len(first("GET", f"verdicts/?item={shared.pk}")["results"]) == 1
    second("POST", f"{path}verdict/", {"revision": 0, "boxes": [A_PERSON]}, 201)
    assert len(first("GET", f"verdicts/?item={shared.pk}")["results"]) == 2

    first("POST", f"{queue}next-check/", status=403)
    found = admin("POST", f"{queue}next-check/")["item"]
    assert (found["id"], found["state"]) == (str(shared.pk), "disputed")
    shown = admin("GET", f"{path}check/")
    assert [each["boxes"] for each in shown["works"]] == [[A_CAR], [A_PERSON]]
    settled = {"decision": "settle", "revision": shown["revision"], "boxes": [A_CAR]}
    assert admin("POST", f"{path}check/", settled)["state"] == "done"
    (told,) = second("GET", "checks/")["results"]
    assert told["decision"] == "fixed"
    (own,) = second("GET", f"{queue}quality/")["labelers"]
    assert (own["name"], own["mean_error"]) == ("bea", 1.0)
    assert {each["label"] for each in admin("GET", f"{queue}quality/")["classes"]} == {
        "car",
        "person",
    }

    gold = admin("POST", "gold-answers/", {"item": str(shared.pk), "note": "Wheels"}, 201)
    listed = {state: admin("GET", f"review-items/?state={state}") for state in ("open", "done")}
    ids = {state: {item["id"] for item in page["results"]} for state, page in listed.items()}
    assert str(shared.pk) in ids["open"], "what is known is told from the rest by no filter"
    assert str(shared.pk) not in ids["done"]
    assert admin("POST", f"gold-answers/{gold['id']}/retire/")["retired_at"]


def test_a_bad_labeler_s_work_is_reverted(item: ReviewItem, alice: User, bob: User) -> None:
    path = f"review-items/{item.pk}/"
    as_user(bob)("POST", f"{path}verdict/", {"revision": 0, "boxes": []}, 201)
    flag = LabelerFlag.objects.create(
        organization=item.organization, queue=item.queue, labeler=bob, raised_at=START,
        n_judged=50, mean_error=0.2,
    )  # fmt: skip
    admin = as_user(alice)
    assert admin("POST", f"labeler-flags/{flag.pk}/revert/") == {"n_reverted": 1, "n_kept": 0}
    assert admin("POST", f"labeler-flags/{flag.pk}/close/")["closed_by"] == "alice"
    assert admin("GET", path)["state"] == "open"


def test_skipped_and_taken_back(item: ReviewItem, bob: User, bea: User) -> None:
    path = f"review-items/{item.pk}/"
    ask = as_user(bob)
    skipped = ask("POST", f"{path}skip/", {"revision": 0, "skip_as": "ambiguous"}, 201)
    as_user(bea)("POST", f"verdicts/{skipped['id']}/undo/", status=404)
    assert ask("POST", f"verdicts/{skipped['id']}/undo/")["undone_as"] == "taken_back"
    ask("POST", f"{path}release/", status=204)
    refusal = ask("POST", f"{path}skip/", {"revision": 0, "skip_as": "ambiguous"}, 409)
    assert refusal["type"] == "urn:farwatch:problem:item-moved"


@pytest.mark.parametrize(
    ("request_line", "body", "field"),
    [
        ("POST review-items/{item}/verdict/", {"revision": 0}, ""),
        (
            "POST review-items/{item}/verdict/",
            {"revision": 0, "boxes": [{"xyxy": [0, 0, 1, 1], "label": "ghost"}]},
            "boxes.0.label",
        ),
        ("POST review-items/{item}/verdict/", {"revision": 0, "boxes": [{}]}, "boxes.0"),
        ("POST review-items/{item}/check/", {"decision": "explode", "revision": 0}, "decision"),
        ("POST review-queues/{queue}/next/", {"besides": ["x"]}, "besides.0"),
        ("PATCH review-queues/{queue}/", {"n_labelers": 10}, "n_labelers"),
        ("PATCH review-queues/{queue}/", {"gold_share": 0.9}, "gold_share"),
        ("PATCH review-queues/{queue}/", {"policy": {"ghost": 1}}, "policy.ghost"),
        ("PATCH review-queues/{queue}/", {"labelers": "{team}"}, "labelers"),
        ("PATCH review-items/{item}/", {"assignee": "{stranger}"}, "assignee"),
        ("PATCH review-items/{item}/", {"team": "{team}"}, "team"),
        ("PATCH review-items/{item}/", {"is_returned": True}, "is_returned"),
        ("PATCH review-items/{item}/", {"priority": 1e300}, "priority"),
        ("POST teams/", {"name": "Night", "members": ["{stranger}"]}, "members"),
        ("POST review-queues/", {"name": "Doubtful pictures"}, ""),
    ],
)
def test_what_cannot_be_is_refused_by_field(
    item: ReviewItem, alice: User, charlie: User, request_line: str, body: Any, field: str
) -> None:
    method, path = request_line.split()
    foreign = Team.objects.create(
        organization=charlie.memberships.get().organization, name="Theirs"
    )
    names = {"item": item.pk, "queue": item.queue_id, "team": foreign.pk, "stranger": charlie.pk}
    filled = _fill(body, {f"{{{name}}}": str(key) for name, key in names.items()})
    refusal = as_user(alice)(method, path.format(**names), filled, 400)
    assert field in refusal["errors"]


def _fill(body: Any, names: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {key: _fill(value, names) for key, value in body.items()}
    if isinstance(body, list):
        return [_fill(value, names) for value in body]
    return names.get(body, body) if isinstance(body, str) else body
