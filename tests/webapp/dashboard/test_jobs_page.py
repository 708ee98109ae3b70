"""The jobs page: who sees what, how far it is, and what may be done about it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from webapp.accounts.models import Organization, User
from webapp.common.clock import now
from webapp.dashboard.views.jobs import PAGE_SIZE
from webapp.jobs.actions import enqueue_job
from webapp.jobs.models import Job, Schedule, Worker

PATH = "/jobs/"
HTMX = {"HX-Request": "true"}


def make_job(organization: Organization, by: User | None, title: str, **fields: object) -> Job:
    job = enqueue_job(
        kind="test", title=title, arguments={}, organization=organization, by=by, at=now()
    )
    Job.objects.filter(pk=job.pk).update(**fields)
    job.refresh_from_db()
    return job


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def test_it_works(admin: Client, acme: Organization, bob: User) -> None:
    make_job(
        acme, bob, "Export of the gate", state="running", n_done=120, n_total=400, rate=12.0,
        started_at=now(),
    )  # fmt: skip
    make_job(
        acme, bob, "Export of the yard", state="done", finished_at=now(),
        started_at=now() - timedelta(seconds=75),
    )  # fmt: skip
    text = admin.get(PATH).text
    assert text.index("Under way") < text.index("Export of the gate") < text.index("Ended")
    for words in ("120 of 400", "12/s", "about 23 s left", "took 1 min 15 s", "bob"):
        assert words in text
    assert 'max="400" value="120"' in text


def test_htmx_gets_the_rows_alone(admin: Client, acme: Organization, alice: User) -> None:
    make_job(acme, alice, "Export of the gate")
    text = admin.get(PATH, headers=HTMX).text
    assert "Export of the gate" in text
    assert "<html" not in text


def test_a_stranger_sees_nothing_of_it(client: Client, charlie: User, acme: Organization) -> None:
    make_job(acme, None, "Export of the gate")
    client.force_login(charlie)
    for who in ("", "me", "hub"):
        assert "Export of the gate" not in client.get(PATH, {"who": who}).text


def test_what_failed_says_why_and_can_be_tried_again(
    admin: Client, acme: Organization, alice: User
) -> None:
    job = make_job(acme, alice, "Export", state="failed", error="The disk has no room.")
    assert "The disk has no room." in admin.get(PATH).text
    answer = admin.post(reverse("job_retry", args=[job.pk]), headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Trigger"]) == (204, "fw:jobs")
    job.refresh_from_db()
    assert job.state == Job.State.WAITING


def test_what_waits_to_be_tried_again_says_when_and_why(
    admin: Client, acme: Organization, alice: User
) -> None:
    due_at = now() + timedelta(minutes=2)
    make_job(
        acme, alice, "Export", error="The camera does not answer.", due_at=due_at, n_failures=3
    )
    text = admin.get(PATH).text
    assert "The camera does not answer." in text
    assert "tried again in " in text


def test_a_job_can_be_cancelled_without_a_script_too(
    admin: Client, acme: Organization, alice: User
) -> None:
    job = make_job(acme, alice, "Export")
    assert admin.post(reverse("job_cancel", args=[job.pk])).headers["Location"] == PATH
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED
    answer = admin.post(reverse("job_cancel", args=[job.pk]), follow=True)
    assert "already" in answer.text


def test_a_member_steers_only_what_they_asked_for(
    client: Client, acme: Organization, alice: User, bob: User
) -> None:
    own, other = make_job(acme, bob, "Mine"), make_job(acme, alice, "Hers")
    client.force_login(bob)
    text = client.get(PATH).text
    assert reverse("job_cancel", args=[own.pk]) in text
    assert reverse("job_cancel", args=[other.pk]) not in text
    assert client.post(reverse("job_cancel", args=[other.pk])).status_code == 403
    assert client.post(reverse("job_cancel", args=[own.pk])).status_code == 302


def test_filters_narrow_and_nonsense_is_refused_in_words(
    admin: Client, acme: Organization, alice: User, bob: User
) -> None:
    make_job(acme, alice, "Hers", state="failed")
    make_job(acme, bob, "His", state="done")
    make_job(acme, None, "The hub's", state="done")
    shown = {
        (state, who): {
            title
            for title in ("Hers", "His", "The hub&#x27;s")
            if f'job__name">{title}' in admin.get(PATH, {"state": state, "who": who}).text
        }
        for state in ("", "failed", "open")
        for who in ("", "me", "hub")
    }
    assert shown == {
        ("", ""): {"Hers", "His"},
        ("", "me"): {"Hers"},
        ("", "hub"): {"The hub&#x27;s"},
        ("failed", ""): {"Hers"},
        ("failed", "me"): {"Hers"},
        ("failed", "hub"): set(),
        ("open", ""): set(),
        ("open", "me"): set(),
        ("open", "hub"): set(),
    }
    for bad in ({"state": "asleep"}, {"after": "x"}, {"who": "x" * 5000}):
        answer = admin.get(PATH, bad)
        assert answer.status_code == 400
        assert "No such filter" in answer.text


def test_older_jobs_are_on_the_next_page_each_once(
    admin: Client, acme: Organization, alice: User
) -> None:
    n_jobs = PAGE_SIZE + 3
    jobs = [make_job(acme, alice, f"Job {n:03}", state="done") for n in range(n_jobs)]
    first = admin.get(PATH)
    older = first.context["older"]
    second = admin.get(PATH, {"after": older})
    titles = [row.job.title for each in (first, second) for row in each.context["ended"]]
    # Of jobs made in one millisecond, none is the older.
    assert titles == [job.title for job in sorted(jobs, key=lambda job: job.pk, reverse=True)]
    assert second.context["older"] is None
    assert 'hx-trigger="fw:jobs' in first.text
    assert 'hx-trigger="fw:jobs' not in second.text  # it would jump back to the first


def test_a_page_of_many_costs_as_many_queries_as_one_of_few(
    admin: Client,
    acme: Organization,
    alice: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for n in range(20):
        make_job(acme, alice, f"Job {n}", state="done")
    with django_assert_max_num_queries(25):
        admin.get(PATH)


def test_without_a_worker_people_are_told_that_nothing_moves(
    admin: Client, acme: Organization, alice: User
) -> None:
    make_job(acme, alice, "Export")
    assert "No worker is running" in admin.get(PATH).text
    Worker.objects.create(started_at=now(), seen_at=now())
    text = admin.get(PATH).text
    assert "No worker is running" not in text
    assert "At work" in text


def test_admins_see_the_schedule_and_only_the_hubs_admin_the_reasons(
    client: Client, alice: User, bob: User
) -> None:
    Schedule.objects.create(
        kind="test.sweep", title="Sweep the floor", every_s=3600, declared_at=now(),
        next_at=now() + timedelta(minutes=30), ended_at=now(), n_failures=1, error="No broom.",
    )  # fmt: skip
    client.force_login(alice)
    text = client.get(PATH).text
    assert "Sweep the floor" in text
    assert "every 1 h" in text
    assert "No broom." not in text
    client.force_login(bob)
    assert "Sweep the floor" not in client.get(PATH).text
    alice.is_superuser = True
    alice.save()
    client.force_login(alice)
    assert "No broom." in client.get(PATH).text


def test_the_api_starts_a_failed_job_again_and_refuses_one_that_runs(
    admin: Client, acme: Organization, alice: User
) -> None:
    job = make_job(acme, alice, "Export", state="failed", error="No room.")
    path = f"/api/v1/jobs/{job.pk}/"
    assert admin.post(f"{path}retry/").json()["state"] == "waiting"
    answer = admin.post(f"{path}retry/")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:farwatch:problem:did-not-fail"
    shown = admin.get(path).json()
    assert (shown["name"], shown["time_left_s"], shown["attempt"]) == ("Export", None, 0)
