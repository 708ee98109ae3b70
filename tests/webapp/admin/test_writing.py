"""What staff writes in the admin goes through the same actions as everything else."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_camera, make_result, make_site
from webapp.accounts.models import Organization, User
from webapp.common.clock import now
from webapp.fleet.models import Agent, Bundle, Camera, JoinToken, Site
from webapp.jobs.actions import enqueue_job
from webapp.jobs.models import Job
from webapp.results.models import Result


@pytest.fixture
def staff(client: Client, alice: User) -> Client:
    """Alice, admin of Acme, let into the admin."""
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    client.force_login(alice)
    return client


def form_of(camera: Camera, **changes: object) -> dict[str, object]:
    return {
        "agent": str(camera.agent_id),
        "name": camera.name,
        "source": camera.source,
        "is_enabled": "on",
        "analysed_fps": "10",
        "score_threshold": "0.4",
        "labels": "[]",
        "sample_policy": "{}",
    } | changes


def test_it_works(staff: Client, camera: Camera) -> None:
    before = camera.agent.desired_version
    url = reverse("admin:fleet_camera_change", args=[camera.pk])
    assert staff.post(url, form_of(camera, source="rtsp://10.0.0.9/main")).status_code == 302
    camera.refresh_from_db()
    assert camera.source == "rtsp://10.0.0.9/main"
    assert camera.agent.desired_version == before + 1


def test_a_camera_that_is_added_reaches_its_agent(staff: Client, agent: Agent) -> None:
    unsaved = Camera(agent=agent, name="Yard", source="usb:0")
    answer = staff.post(reverse("admin:fleet_camera_add"), form_of(unsaved))
    assert answer.status_code == 302
    camera = Camera.objects.get(name="Yard")
    assert camera.organization == agent.organization
    agent.refresh_from_db()
    assert agent.desired_version == 2


@pytest.mark.parametrize("source", ["gopher://x", "/etc/passwd", "file:../secret", ""])
def test_a_source_that_is_none_is_refused_on_the_form(
    staff: Client, camera: Camera, source: str
) -> None:
    url = reverse("admin:fleet_camera_change", args=[camera.pk])
    answer = staff.post(url, form_of(camera, source=source))
    assert answer.status_code == 200
    assert "source" in answer.context["adminform"].form.errors


def test_another_organizations_agent_is_no_choice(
    staff: Client, camera: Camera, charlie: User
) -> None:
    elsewhere = charlie.organizations.get()
    theirs = Agent.objects.create(
        organization=elsewhere,
        site=make_site(elsewhere),
        name="Theirs",
        public_key=b"x" * 32,
        enrolled_at=now(),
    )
    unsaved = Camera(agent=theirs, name="Yard", source="usb:0")
    answer = staff.post(reverse("admin:fleet_camera_add"), form_of(unsaved))
    assert answer.status_code == 200
    assert "agent" in answer.context["adminform"].form.errors
    page = staff.get(reverse("admin:fleet_camera_add")).content.decode()
    assert "Theirs" not in page


def test_a_join_token_is_shown_once(staff: Client, site: Site) -> None:
    answer = staff.post(reverse("admin:fleet_jointoken_add"), {"site": str(site.pk)}, follow=True)
    token = JoinToken.objects.get()
    assert token.created_by is not None
    assert f"fw1_{token.id.hex}_" in answer.content.decode()
    again = staff.get(reverse("admin:fleet_jointoken_changelist"))
    assert "fw1_" not in again.content.decode()


def test_an_agent_is_revoked_by_an_action(staff: Client, agent: Agent) -> None:
    staff.post(
        reverse("admin:fleet_agent_changelist"),
        {"action": "revoke", "_selected_action": [str(agent.pk)]},
    )
    agent.refresh_from_db()
    assert agent.is_revoked


def test_a_job_is_cancelled_by_an_action(staff: Client, acme: Organization, alice: User) -> None:
    job = enqueue_job(kind="export_set", arguments={}, organization=acme, by=alice, at=now())
    staff.post(
        reverse("admin:jobs_job_changelist"),
        {"action": "cancel", "_selected_action": [str(job.pk)]},
    )
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED


def test_what_was_measured_is_not_written_by_hand(
    staff: Client, camera: Camera, bundle: Bundle
) -> None:
    result = make_result(camera, bundle)
    for name in ("change", "delete"):
        url = reverse(f"admin:results_result_{name}", args=[result.pk])
        assert staff.post(url, {"latency_ms": "0", "post": "yes"}).status_code == 403
    assert Result.objects.get().latency_ms == 40.0


def test_an_operator_on_the_staff_looks_and_does_not_write(
    client: Client, olga: User, camera: Camera
) -> None:
    User.objects.filter(pk=olga.pk).update(is_staff=True)
    client.force_login(olga)
    url = reverse("admin:fleet_camera_change", args=[camera.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, form_of(camera, name="Mine")).status_code == 403


def test_a_site_does_not_change_its_organization(staff: Client, site: Site, charlie: User) -> None:
    url = reverse("admin:fleet_site_change", args=[site.pk])
    staff.post(url, {"name": "Dock", "organization": str(charlie.organizations.get().pk)})
    site.refresh_from_db()
    assert (site.name, site.organization.name) == ("Dock", "Acme")


def test_a_filter_names_only_the_organizations_own_rows(
    staff: Client, camera: Camera, charlie: User
) -> None:
    elsewhere = charlie.organizations.get()
    theirs = Agent.objects.create(
        organization=elsewhere,
        site=make_site(elsewhere),
        name="Theirs",
        public_key=b"x" * 32,
        enrolled_at=now(),
    )
    make_camera(theirs, name="Their gate")
    page = staff.get(reverse("admin:results_result_changelist")).content.decode()
    assert "Their gate" not in page
