"""Every page of the admin opens: generated over its registry, for superuser and staff."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from tests.factories import START, make_event, make_result, make_sample
from tests.webapp.inference.reporting import make_use
from webapp.accounts.models import Organization, User
from webapp.accounts.owned_admin import OwnedAdmin
from webapp.batches.models import Batch
from webapp.common.clock import now
from webapp.datasets.models import Annotation
from webapp.fleet.actions import create_join_token
from webapp.fleet.models import Bundle, Camera
from webapp.inference.keys import KeyTerms, create_key
from webapp.inference.reports import add_usage
from webapp.jobs.actions import enqueue_job
from webapp.results.models import CameraMinute, LabelMinute, LostRange
from webapp.review.actions import claim_next, open_item, submit_verdict
from webapp.review.models import Check, GoldAnswer, LabelerFlag, ReviewItem, Team
from webapp.review.webhooks import add_webhook

REGISTRY = sorted(admin.site._registry.items(), key=lambda pair: pair[0]._meta.label)
each_model = pytest.mark.parametrize(
    ("model", "model_admin"), REGISTRY, ids=[model._meta.label for model, _ in REGISTRY]
)
SHOWN_BUT_NOT_LISTED = {"lease"}


@pytest.fixture
def superuser(acme: Organization) -> User:
    return User.objects.create_superuser("root", password=None)


@pytest.fixture
def filled(camera: Camera, bundle: Bundle, alice: User, bob: User) -> Camera:
    """A row of every model."""
    organization = camera.organization
    minute = {"organization": organization, "camera": camera, "minute_at": START}
    make_result(camera, bundle)
    make_event(organization, camera=camera, agent=camera.agent)
    CameraMinute.objects.create(n_results=9, **minute)
    LabelMinute.objects.create(bundle=bundle, label=1, n_detections=9, n_tracks=1, peak=1, **minute)
    LostRange.objects.create(
        organization=organization,
        agent=camera.agent,
        epoch=1,
        lane="results",
        first_seq=1,
        last_seq=2,
        reason="outbox_full",
        noticed_at=START,
    )
    create_join_token(camera.agent.site, by=alice, at=now())
    enqueue_job(kind="export_set", arguments={}, organization=organization, by=alice, at=now())
    for _ in range(2):
        open_item(sample=make_sample(camera, bundle), at=START)
    item = ReviewItem.objects.all()[0]
    verdict = submit_verdict(item=item, by=bob, revision=item.revision, boxes=[], at=now())
    assert verdict.annotation is not None
    mine = {"organization": organization, "created_at": START}
    Team.objects.create(organization=organization, name="Night").members.add(bob)
    Check.objects.create(verdict=verdict, by=alice, decision=Check.Decision.ACCEPTED, **mine)
    GoldAnswer.objects.create(item=item, annotation=verdict.annotation, **mine)
    LabelerFlag.objects.create(
        organization=organization, queue=item.queue, labeler=bob,
        raised_at=START, n_judged=9, mean_error=0.4,
    )  # fmt: skip
    add_webhook(organization=organization, url="https://example.org/", by=alice, at=now())
    key = create_key(organization, KeyTerms("App"), by=alice, at=now()).key
    add_usage([make_use(organization, key.pk, answered=1)], at=now())
    claim_next(queue=item.queue, by=bob, at=now())
    Batch.objects.create(
        name="Night", source=Batch.Source.FOLDER, state=Batch.State.DONE, min_score=0.3, **mine
    )
    assert Annotation.objects.exists()
    return camera


def page(model: type[Model], name: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@each_model
def test_the_list_opens_with_and_without_search(
    client: Client,
    superuser: User,
    filled: Camera,
    model: type[Model],
    model_admin: ModelAdmin[Any],
) -> None:
    client.force_login(superuser)
    assert client.get(page(model, "changelist")).status_code == 200
    assert model_admin.search_fields, "a list that cannot be searched"
    assert client.get(page(model, "changelist"), {"q": "gate"}).status_code == 200


@each_model
def test_a_row_opens(
    client: Client,
    superuser: User,
    filled: Camera,
    model: type[Model],
    model_admin: ModelAdmin[Any],
) -> None:
    client.force_login(superuser)
    row = model._default_manager.first()
    assert row is not None, "the fixture lacks this model"
    assert client.get(page(model, "change", row.pk)).status_code == 200
    assert client.get(page(model, "history", row.pk)).status_code == 200


@each_model
def test_adding_opens_exactly_where_a_person_may_add(
    client: Client,
    superuser: User,
    filled: Camera,
    model: type[Model],
    model_admin: ModelAdmin[Any],
) -> None:
    client.force_login(superuser)
    may_add = not isinstance(model_admin, OwnedAdmin) or model_admin.may_add
    assert client.get(page(model, "add")).status_code == (200 if may_add else 403)


@each_model
def test_an_admin_of_the_organization_sees_its_rows_and_a_stranger_none(
    client: Client,
    alice: User,
    charlie: User,
    filled: Camera,
    model: type[Model],
    model_admin: ModelAdmin[Any],
) -> None:
    User.objects.filter(pk__in=[alice.pk, charlie.pk]).update(is_staff=True)
    row = model._default_manager.first()
    assert row is not None
    is_owned = isinstance(model_admin, OwnedAdmin)
    client.force_login(alice)
    assert client.get(page(model, "changelist")).status_code == (200 if is_owned else 403)
    assert client.get(page(model, "change", row.pk)).status_code == (200 if is_owned else 403)
    client.force_login(charlie)
    listed = client.get(page(model, "changelist"))
    assert listed.status_code == (200 if is_owned else 403)
    if is_owned:
        assert listed.context["cl"].result_count == 0
        assert client.get(page(model, "change", row.pk)).status_code == 302  # "is not there"


@each_model
def test_whoever_is_no_staff_is_sent_away(
    client: Client, alice: User, model: type[Model], model_admin: ModelAdmin[Any]
) -> None:
    client.force_login(alice)
    answer = client.get(page(model, "changelist"), follow=True)
    assert answer.status_code == 403


def test_the_index_opens(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    assert client.get(reverse("admin:index")).status_code == 200
