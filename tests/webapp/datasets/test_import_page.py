"""Labelers read how far imports are and what came of them, and call them off."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import START, make_user
from webapp.accounts.models import Organization, Role, User
from webapp.datasets.actions import IMPORT_SET
from webapp.datasets.import_rows import import_rows
from webapp.datasets.import_views import PAGE_SIZE
from webapp.datasets.incoming import announce_import
from webapp.jobs.models import Job


def make_import(organization: Organization, by: User, **facts: object) -> Job:
    return Job.objects.create(
        organization=organization,
        kind=IMPORT_SET,
        created_by=by,
        created_at=START,
        **{"arguments": {"name": "set.zip", "file": "1", "is_zip": True}, **facts},
    )


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"arguments": {"name": "set.zip"}}, "Its file is on its way."),
        ({}, "Waits for its turn."),
        ({"error": "The database was away."}, "The database was away."),
        ({"state": "running"}, "Looks into the file."),
        ({"state": "running", "n_done": 20, "n_total": 80}, "Has checked 20 of 40 pictures."),
        ({"state": "running", "n_done": 60, "n_total": 80}, "Has taken in 20 of 40 pictures."),
        ({"state": "running", "is_cancel_wanted": True}, "Stops at the next pictures."),
        ({"state": "cancelled"}, "Nothing was taken in."),
        ({"state": "cancelled", "n_done": 60}, "What was taken in before stays."),
        ({"state": "failed", "error": "more than 50000 entries."}, "more than 50000 entries."),
        (
            {
                "state": "done",
                "result": {
                    "n_images": 9, "n_labelled": 4, "n_boxes": 1, "n_known": 2, "n_left_out": 1,
                },
            },
            "10 pictures, 4 labelled with 1 box, 3 for the labelers, 2 known already, 1 left out.",
        ),
    ],
)  # fmt: skip
def test_it_says_how_it_is(
    acme: Organization, bob: User, facts: dict[str, object], words: str
) -> None:
    (row,) = import_rows([make_import(acme, bob, **facts)], steerable=[])
    assert row.words == words


def test_what_was_left_out_is_listed_and_the_rest_counted(
    client: Client, acme: Organization, bob: User
) -> None:
    notes = ["Masks came in as their boxes: 4.", "<b>.jpg: not a JPEG"]
    result = {"n_images": 1, "n_left_out": 2, "notes": notes, "n_unsaid": 1}
    make_import(acme, bob, state="done", result=result)
    client.force_login(bob)
    text = client.get(reverse("imports")).content.decode()
    assert "<li>&lt;b&gt;.jpg: not a JPEG</li>" in text
    assert "and 1 more" in text


def test_older_ones_are_a_page_further(client: Client, acme: Organization, bob: User) -> None:
    jobs = [make_import(acme, bob) for _ in range(PAGE_SIZE + 1)]
    client.force_login(bob)
    first = client.get(reverse("imports"))
    assert f"import-{jobs[0].pk}" not in first.content.decode()
    older = client.get(reverse("imports"), {"after": str(jobs[1].pk)}).content.decode()
    assert f"import-{jobs[0].pk}" in older
    assert f"import-{jobs[1].pk}" not in older


def test_who_is_in_several_organizations_says_for_which(
    client: Client, acme: Organization, bob: User, charlie: User
) -> None:
    client.force_login(bob)
    assert 'data-part="organization"' not in client.get(reverse("imports")).content.decode()
    charlies = charlie.memberships.get().organization
    bob.memberships.create(organization=charlies, role=Role.LABELER)
    page = client.get(reverse("imports")).content.decode()
    assert f'<option value="{charlies.pk}">' in page
    assert f'<option value="{acme.pk}">' in page


def test_one_calls_off_ones_own_and_an_admin_any(
    client: Client, acme: Organization, alice: User, bob: User
) -> None:
    bea = make_user("bea", organization=acme, role=Role.LABELER)
    job = announce_import(organization=acme, name="a.zip", by=bob, at=START)
    for person, status, state in ((bea, 403, "waiting"), (alice, 302, "cancelled")):
        client.force_login(person)
        assert client.post(reverse("import_cancel", args=[job.pk])).status_code == status
        job.refresh_from_db()
        assert job.state == state
    shown = client.get(reverse("imports")).content.decode()
    assert reverse("import_cancel", args=[job.pk]) not in shown, "there is nothing to cancel"
