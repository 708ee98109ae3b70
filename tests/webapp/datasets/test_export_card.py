"""Labelers start an export, watch it, call it off, and download it."""

from django.test import Client
from django.urls import reverse

from webapp.accounts.models import Organization, Role, User
from webapp.datasets.actions import EXPORT_SET
from webapp.jobs.models import Job


def test_it_works(client: Client, bob: User) -> None:
    client.force_login(bob)
    card = client.post(reverse("export_start"))
    job = Job.objects.get(kind=EXPORT_SET)
    assert job.created_by == bob
    assert b"<progress" in card.content
    assert reverse("export_cancel", args=[job.id]).encode() in card.content


def test_one_that_is_done_can_be_downloaded(client: Client, bob: User) -> None:
    client.force_login(bob)
    client.post(reverse("export_start"))
    Job.objects.update(state=Job.State.DONE)
    job = Job.objects.get()
    card = client.get(reverse("exports"))
    assert reverse("export-file", args=[job.id]).encode() in card.content
    assert b"<progress" not in card.content


def test_one_can_be_called_off(client: Client, bob: User) -> None:
    client.force_login(bob)
    client.post(reverse("export_start"))
    job = Job.objects.get()
    client.post(reverse("export_cancel", args=[job.id]))
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED


def test_too_many_at_once_are_refused_in_words(client: Client, bob: User) -> None:
    client.force_login(bob)
    answers = [client.post(reverse("export_start")) for _ in range(50)]
    assert Job.objects.count() < 50
    assert b"not done yet" in answers[-1].content


def test_an_admin_of_another_organization_does_not_call_it_off(
    client: Client, acme: Organization, bob: User, charlie: User
) -> None:
    client.force_login(bob)
    client.post(reverse("export_start"))
    job = Job.objects.get()
    charlie.memberships.create(organization=acme, role=Role.LABELER)  # and admin of their own
    client.force_login(charlie)
    cancel = reverse("export_cancel", args=[job.id])
    assert cancel.encode() not in client.get(reverse("exports")).content
    assert client.post(cancel).status_code == 403
    job.refresh_from_db()
    assert job.state == Job.State.WAITING
