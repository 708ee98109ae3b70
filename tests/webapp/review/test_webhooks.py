"""Other people's programs are told what labelers settled: signed, and again when they fail."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import START, Clock
from webapp.accounts.models import User
from webapp.common.outward import NoAnswer
from webapp.jobs.models import Job
from webapp.jobs.registry import HANDLERS
from webapp.jobs.running import JobRunner
from webapp.jobs.worker import LEASE, load_tasks
from webapp.review import tasks
from webapp.review.actions import claim_next, skip_item, submit_verdict
from webapp.review.models import ReviewItem, Webhook
from webapp.review.webhooks import (
    MAX_WEBHOOKS,
    SEND_WEBHOOK,
    add_webhook,
    last_deliveries,
    secret_of,
)

JSON = "application/json"
PATH = "/api/v1/webhooks/"
URL = "https://example.org/hook"


class Told:
    """Stands where the network is: answers as it is told, and remembers."""

    def __init__(self) -> None:
        self.answers: list[int | Exception] = []
        self.calls: list[tuple[str, bytes, dict[str, str]]] = []

    def post(self, url: str, body: bytes, headers: dict[str, str], **_: object) -> int:
        self.calls.append((url, body, headers))
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    load_tasks()
    told = Told()
    monkeypatch.setattr(tasks, "post", told.post)
    return told


@pytest.fixture
def webhook(item: ReviewItem, alice: User) -> Webhook:
    return add_webhook(organization=item.organization, url=URL, by=alice, at=START)


def settle(item: ReviewItem, bob: User) -> None:
    claim_next(queue=item.queue, by=bob, at=START)
    submit_verdict(item=item, by=bob, revision=item.revision, boxes=[], at=START)


def work(clock: Clock) -> None:
    runner = JobRunner(handlers=HANDLERS, clock=clock.now, lease=LEASE)
    for job in Job.objects.filter(kind=SEND_WEBHOOK, state=Job.State.WAITING):
        runner.run(job.id, job.attempt + 1)


def test_it_works(told: Told, webhook: Webhook, item: ReviewItem, bob: User, clock: Clock) -> None:
    settle(item, bob)
    work(clock)
    ((url, body, headers),) = told.calls
    assert url == URL
    message: dict[str, Any] = json.loads(body)
    assert message["type"] == "item.settled"
    assert (message["item"], message["state"], message["by"]) == (str(item.pk), "done", "bob")
    assert (message["boxes"], message["sample"]) == ([], str(item.sample_id))
    seconds, signature = (
        part.partition("=")[2] for part in headers["Farwatch-Signature"].split(",")
    )
    signed = hmac.new(secret_of(webhook).encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    assert signature == signed.hexdigest()
    assert int(seconds) == int(START.timestamp())
    webhook.refresh_from_db()
    assert (webhook.status, webhook.error, webhook.n_told) == (204, "", 1)


def test_who_fails_is_told_again_later_with_the_same_name(
    told: Told, webhook: Webhook, item: ReviewItem, bob: User, clock: Clock
) -> None:
    told.answers = [NoAnswer("example.org did not answer: refused"), 503, 200]
    settle(item, bob)
    for _ in range(2):
        work(clock)
        webhook.refresh_from_db()
        job = Job.objects.get(kind=SEND_WEBHOOK)
        assert job.due_at is not None
        assert job.due_at > clock.now()
        assert webhook.error
    work(clock)
    webhook.refresh_from_db()
    job = Job.objects.get(kind=SEND_WEBHOOK)
    assert (job.state, webhook.n_failures, webhook.error) == ("done", 0, "")
    assert len({call[2]["Farwatch-Delivery"] for call in told.calls}) == 1
    assert len({call[1] for call in told.calls}) == 1


def test_who_refuses_is_not_told_again_and_the_failure_is_shown(
    told: Told, webhook: Webhook, item: ReviewItem, bob: User, clock: Clock
) -> None:
    told.answers = [403]
    settle(item, bob)
    work(clock)
    webhook.refresh_from_db()
    assert (webhook.status, webhook.error, webhook.n_failures) == (403, "It answered 403.", 1)
    assert Job.objects.get(kind=SEND_WEBHOOK).state == Job.State.FAILED


def test_what_nobody_can_tell_is_told_and_what_is_passed_on_is_not(
    told: Told, webhook: Webhook, item: ReviewItem, bob: User, clock: Clock
) -> None:
    skip_item(item=item, by=bob, revision=item.revision, skip_as="passed", at=START)
    assert not Job.objects.filter(kind=SEND_WEBHOOK).exists()
    item.refresh_from_db()
    skip_item(item=item, by=bob, revision=item.revision, skip_as="ambiguous", at=START)
    work(clock)
    ((_, body, _),) = told.calls
    assert json.loads(body)["state"] == "ambiguous"


def test_who_is_switched_off_or_of_another_organization_is_not_told(
    told: Told, webhook: Webhook, item: ReviewItem, bob: User, charlie: User, clock: Clock
) -> None:
    other = charlie.memberships.get().organization
    add_webhook(organization=other, url=URL, by=charlie, at=START)
    Webhook.objects.filter(pk=webhook.pk).update(is_active=False)
    settle(item, bob)
    assert not Job.objects.filter(kind=SEND_WEBHOOK).exists()


def test_admins_add_change_and_delete_them(client: Client, alice: User) -> None:
    client.force_login(alice)
    made = client.post(PATH, {"url": URL}, content_type=JSON)
    assert made.status_code == 201
    assert len(made.json()["secret"]) == 64
    own = f"{PATH}{made.json()['id']}/"
    changed = client.patch(own, {"is_active": False}, content_type=JSON)
    assert (changed.status_code, changed.json()["is_active"]) == (200, False)
    assert client.delete(own).status_code == 204
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("url", ["http://example.org/", "https://u:p@example.org/", "x", 7, None])
def test_what_will_never_be_called_is_refused_by_field(
    client: Client, alice: User, url: object
) -> None:
    client.force_login(alice)
    answer = client.post(PATH, {"url": url}, content_type=JSON)
    assert answer.status_code == 400
    assert "url" in answer.json()["errors"]


def test_there_are_not_too_many(client: Client, alice: User) -> None:
    client.force_login(alice)
    made = [client.post(PATH, {"url": URL}, content_type=JSON) for _ in range(MAX_WEBHOOKS + 1)]
    assert [answer.status_code for answer in made] == [201] * MAX_WEBHOOKS + [409]


def test_a_test_is_told_once_and_its_answer_kept(
    told: Told, webhook: Webhook, client: Client, alice: User, clock: Clock
) -> None:
    client.force_login(alice)
    told.answers = [503, 204]
    asked = client.post(f"{PATH}{webhook.pk}/test/")
    assert asked.status_code == 202
    assert client.post(f"{PATH}{webhook.pk}/test/").status_code == 409, "one is under way"
    work(clock)
    job = client.get(asked.headers["Location"]).json()
    assert (job["state"], job["error"]) == ("failed", "It answered 503."), "it is not tried again"
    assert json.loads(told.calls[0][1])["type"] == "test"
    client.post(f"{PATH}{webhook.pk}/test/")
    work(clock)
    newest, older = last_deliveries([webhook], most=5)[webhook.pk]
    assert (newest.state, newest.result, older.state) == ("done", {"status": 204}, "failed")


def test_who_is_switched_off_is_not_tested(webhook: Webhook, client: Client, alice: User) -> None:
    Webhook.objects.update(is_active=False)
    client.force_login(alice)
    answer = client.post(f"{PATH}{webhook.pk}/test/")
    assert (answer.status_code, answer.json()["detail"]) == (409, "It is switched off.")


def test_a_secret_is_told_only_when_its_address_is_added(
    webhook: Webhook, client: Client, alice: User
) -> None:
    client.force_login(alice)
    added = client.post(reverse("webhook_add"), {"url": URL}, headers={"HX-Request": "true"})
    newest = Webhook.objects.latest("created_at")
    assert secret_of(newest) in added.content.decode()
    for path in (reverse("webhooks"), PATH, f"{PATH}{newest.pk}/"):
        assert secret_of(newest) not in client.get(path).content.decode()


@pytest.mark.parametrize("url", ["http://example.org/", "https://u:p@example.org/", "x", ""])
def test_the_page_says_what_is_wrong_with_an_address(client: Client, alice: User, url: str) -> None:
    client.force_login(alice)
    answer = client.post(reverse("webhook_add"), {"url": url}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert 'class="field__error"' in answer.content.decode()
    assert not Webhook.objects.exists()


def test_the_page_says_when_there_are_too_many(client: Client, alice: User) -> None:
    client.force_login(alice)
    answers = [client.post(reverse("webhook_add"), {"url": URL}) for _ in range(MAX_WEBHOOKS + 1)]
    assert "at most 10" in answers[-1].content.decode()
    assert Webhook.objects.count() == MAX_WEBHOOKS


def test_without_scripts_an_address_is_switched_and_deleted(
    webhook: Webhook, client: Client, alice: User
) -> None:
    client.force_login(alice)
    url = reverse("webhook_switch", args=[webhook.pk])
    for word, is_active in (("no", False), ("no", False), ("yes", True)):  # twice is as once
        answer = client.post(url, {"is_active": word})
        assert answer.headers["Location"] == reverse("webhooks")
        webhook.refresh_from_db()
        assert webhook.is_active == is_active
    refused = client.post(url, {"is_active": "perhaps"})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["is_active"])
    client.post(reverse("webhook_delete", args=[webhook.pk]))
    assert not Webhook.objects.exists()
