"""Old days go to files and are read by the same API, whatever is where."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlencode

import duckdb
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from tests.factories import (
    START,
    make_agent,
    make_bundle,
    make_camera,
    make_detections,
    make_result,
    make_site,
)
from webapp.accounts.models import Organization, User
from webapp.common.keeping import forget_old
from webapp.events.models import Event
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.gateway import tasks
from webapp.jobs.interruptions import StopSign
from webapp.jobs.ticks import Tick
from webapp.results.archive import Part, archive, archive_due, due_parts, secure, sweep
from webapp.results.archive_check import newly_damaged
from webapp.results.models import ArchivedDay, Result

pytestmark = pytest.mark.django_db
URL = "/api/v1/results/"
Rows: TypeAlias = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.ARCHIVE_AFTER_DAYS = 2


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def days_on(days: float) -> datetime:
    return START + timedelta(days=days)


def archive_all(at: datetime) -> list[date]:
    return [part.day for part in archive_due(at)]


def forget(at: datetime) -> int:
    return sum(gone.n_rows for gone in forget_old(at) if gone.name == "results")


def scattered(cameras: list[Camera], bundle: Bundle, *, n_days: int, seed: int) -> None:
    """Results of some days, some of the same instant, some at midnight."""
    chance = random.Random(seed)
    midnight = START.replace(hour=0)
    for _ in range(60):
        at = midnight + timedelta(
            days=chance.randrange(n_days), seconds=chance.choice([0, 0.000001, 5, 86399.999999])
        )
        make_result(
            chance.choice(cameras),
            bundle,
            captured_at=at,
            latency_ms=chance.random() * 100,
            detections=make_detections(*range(chance.randrange(3))),
        )


def listed(client: Client, page_size: int = 500, **filters: object) -> Rows:
    return [row for page in pages(client, page_size, **filters) for row in page["results"]]


def pages(client: Client, page_size: int, **filters: object) -> Iterator[dict[str, Any]]:
    url: str | None = f"{URL}?{urlencode({'page_size': page_size, **filters})}"
    while url:
        response = client.get(url)
        assert response.status_code == 200, response.content
        page: dict[str, Any] = response.json()
        yield page
        url = page["next"]


@pytest.mark.parametrize("seed", range(2))
def test_the_archive_answers_as_the_table_did(
    operator: Client, agent: Agent, bundle: Bundle, seed: int
) -> None:
    cameras = [make_camera(agent) for _ in range(2)]
    scattered(cameras, bundle, n_days=4, seed=seed)
    asked: list[dict[str, Any]] = [
        {},
        {"camera": cameras[0].pk},
        {"bundle": bundle.pk},
        {"from": days_on(0.5).isoformat(), "to": days_on(2).isoformat()},
    ]
    before = [listed(operator, **filters) for filters in asked]
    n_rows = Result.objects.count()
    assert forget(days_on(9)) > 0
    assert 0 < Result.objects.count() < n_rows
    assert [listed(operator, **filters) for filters in asked] == before
    assert [listed(operator, page_size=19, **filters) for filters in asked] == before


def test_pages_go_back_and_forth_across_the_border(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    scattered([camera], bundle, n_days=4, seed=7)
    forget(days_on(9))
    there = list(pages(operator, 16))
    back, url = [there[-1]["results"]], there[-1]["previous"]
    while url:
        page = operator.get(url).json()
        back.append(page["results"])
        url = page["previous"]
    assert back[::-1] == [page["results"] for page in there]


def test_what_is_in_both_is_there_once(operator: Client, camera: Camera, bundle: Bundle) -> None:
    scattered([camera], bundle, n_days=3, seed=1)
    before = listed(operator, page_size=9)
    assert len(archive_all(days_on(5))) == 3
    assert listed(operator, page_size=9) == before


def test_one_result_is_found_in_the_archive(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    result = make_result(camera, bundle)
    before = operator.get(f"{URL}{result.pk}/").json()
    forget(days_on(9))
    assert not Result.objects.exists()
    assert operator.get(f"{URL}{result.pk}/").json() == before
    for nobody in (result.pk + 1, "9" * 30, "x", "²"):
        assert operator.get(f"{URL}{nobody}/").status_code == 404


def test_late_rows_are_folded_in_before_a_day_goes(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    for n_late in range(3):
        make_result(camera, bundle, captured_at=START + timedelta(minutes=n_late))
        assert len(listed(operator)) == n_late + 1
        assert forget(days_on(9)) == 1
        assert not Result.objects.exists()
        assert len(listed(operator)) == n_late + 1
    assert ArchivedDay.objects.get().n_rows == 3


def test_archiving_again_writes_the_same_file(camera: Camera, bundle: Bundle) -> None:
    scattered([camera], bundle, n_days=1, seed=4)
    part = Part(camera.organization_id, START.date())
    first = archive(part, at=days_on(3))
    again = archive(part, at=days_on(4))
    assert (first.sha256, first.path) == (again.sha256, again.path)
    assert archive_all(days_on(5)) == []
    assert sorted(first.path.parent.iterdir()) == [first.path]


def test_a_day_that_is_not_over_for_long_stays_in_the_table_alone(
    camera: Camera, bundle: Bundle
) -> None:
    make_result(camera, bundle)
    assert archive_all(days_on(2)) == []
    assert archive_all(days_on(3)) == [START.date()]


def test_without_an_archive_results_are_forgotten_for_good(
    settings: Settings, operator: Client, camera: Camera, bundle: Bundle
) -> None:
    settings.ARCHIVE_AFTER_DAYS = 0
    make_result(camera, bundle)
    assert archive_all(days_on(9)) == []
    assert forget(days_on(9)) == 1
    assert listed(operator) == []


def test_the_file_is_parquet_sorted_by_camera_and_time(agent: Agent, bundle: Bundle) -> None:
    cameras = [make_camera(agent) for _ in range(2)]
    scattered(cameras, bundle, n_days=1, seed=5)
    row = archive(Part(agent.organization_id, START.date()), at=days_on(3))
    with duckdb.connect() as database:
        rows = database.execute(
            "SELECT camera, captured_at FROM read_parquet(?)", [str(row.path)]
        ).fetchall()
        packed = database.execute(
            "SELECT DISTINCT compression FROM parquet_metadata(?)", [str(row.path)]
        ).fetchall()
    assert rows == sorted(rows)
    assert (len(rows), packed) == (row.n_rows, [("ZSTD",)])


def test_nobody_reads_what_is_not_theirs(
    client: Client, charlie: User, bob: User, camera: Camera, bundle: Bundle
) -> None:
    result = make_result(camera, bundle)
    forget(days_on(9))
    client.force_login(charlie)
    assert listed(client) == listed(client, camera=camera.pk) == []
    assert client.get(f"{URL}{result.pk}/").status_code == 404
    client.force_login(bob)
    assert client.get(URL).status_code == 403


def test_each_organization_has_files_of_its_own(
    operator: Client, charlie: User, camera: Camera, bundle: Bundle
) -> None:
    elsewhere = Organization.objects.get(name="Elsewhere")
    theirs = make_camera(make_agent(make_site(elsewhere)))
    for _ in range(2):
        make_result(theirs, make_bundle(elsewhere))
    make_result(camera, bundle)
    forget(days_on(9))
    assert sorted(row.n_rows for row in ArchivedDay.objects.all()) == [1, 2]
    assert [row["camera"] for row in listed(operator)] == [str(camera.pk)]


def test_a_camera_that_is_removed_is_not_read_from_the_archive(
    operator: Client, camera: Camera, agent: Agent, bundle: Bundle
) -> None:
    for each in (camera, other := make_camera(agent)):
        make_result(each, bundle)
    forget(days_on(9))
    camera.delete()
    assert [row["camera"] for row in listed(operator)] == [str(other.pk)]


def test_a_missing_file_is_a_problem_that_names_the_day(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    result = make_result(camera, bundle)
    forget(days_on(9))
    row = ArchivedDay.objects.get()
    whole = row.path.read_bytes()
    row.path.unlink()
    for url in (URL, f"{URL}{result.pk}/"):
        problem = operator.get(url)
        assert problem.status_code == 410
        assert "2026-11-22" in problem.json()["detail"]
        assert problem.json()["type"].endswith("archive-missing")
    row.refresh_from_db()
    assert row.damaged_at is not None
    assert operator.get(f"{URL}?from=2026-11-23T00:00:00Z").json()["results"] == []
    row.path.write_bytes(whole)  # from a backup
    assert len(listed(operator)) == 1


@pytest.mark.parametrize("at", [0, 200, -1])
def test_a_damaged_file_is_a_problem_that_names_the_day(
    operator: Client, camera: Camera, bundle: Bundle, at: int
) -> None:
    make_result(camera, bundle)
    forget(days_on(9))
    path = ArchivedDay.objects.get().path
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)
    problem = operator.get(URL)
    assert (problem.status_code, problem["Content-Type"]) == (503, "application/problem+json")
    assert "2026-11-22" in problem.json()["detail"]


def test_a_damaged_file_is_written_anew_while_the_table_has_its_rows(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    make_result(camera, bundle)
    archive_all(days_on(3))
    ArchivedDay.objects.get().path.write_bytes(b"PAR1")
    assert operator.get(URL).status_code == 503
    assert archive_all(days_on(3)) == [START.date()]
    assert len(listed(operator)) == 1
    assert ArchivedDay.objects.get().damaged_at is None


def test_late_rows_stay_in_the_table_while_their_day_is_damaged(
    camera: Camera, bundle: Bundle
) -> None:
    for _ in range(2):
        make_result(camera, bundle)
    forget(days_on(9))
    ArchivedDay.objects.get().path.unlink()
    make_result(camera, bundle)
    assert not secure(Part(camera.organization_id, START.date()), at=days_on(9))
    assert forget(days_on(9)) == 0
    assert Result.objects.count() == 1


def test_old_files_go_with_their_days_and_strays_at_once(camera: Camera, bundle: Bundle) -> None:
    make_result(camera, bundle)
    row = archive(Part(camera.organization_id, START.date()), at=days_on(3))
    stray = row.path.with_name("2026-11-01-0123.parquet")
    stray.write_bytes(b"PAR1")
    assert sweep(START) == 0
    assert sweep(days_on(3000)) == 1
    assert row.path.exists()


def test_the_archive_is_forgotten_after_its_days(
    camera: Camera,
    bundle: Bundle,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    make_result(camera, bundle)
    forget(days_on(9))
    path = ArchivedDay.objects.get().path
    with django_capture_on_commit_callbacks(execute=True):
        gone = {forgotten.name for forgotten in forget_old(days_on(92))}
    assert gone == {"archive"}
    assert not path.exists()
    assert not ArchivedDay.objects.exists()


def test_a_cursor_that_somebody_made_up_is_not_found(operator: Client) -> None:
    for position in ("cD1ub3c=", "cD0yMDI2LTExLTIy"):  # p=now, p=2026-11-22
        assert operator.get(f"{URL}?cursor={position}").status_code == 404


def test_the_command_writes_a_day_and_says_so(camera: Camera, bundle: Bundle) -> None:
    make_result(camera, bundle, captured_at=days_on(-1000))
    day = str(days_on(-1000).date())
    said = StringIO()
    call_command("archive", "--day", day, "--dry-run", stdout=said)
    assert said.getvalue().splitlines() == [f"{day}  {camera.organization_id}", "1 to write"]
    assert not ArchivedDay.objects.exists()
    call_command("archive", "--day", day, stdout=said)
    assert said.getvalue().splitlines()[-1] == "1 written"
    assert list(due_parts(days_on(0), day=days_on(-1000).date())) == []
    for bad in ("2026-13-01", "9000-01-01"):
        with pytest.raises(CommandError, match=bad[:4]):
            call_command("archive", "--day", bad)


def test_a_day_that_cannot_be_read_is_told_once(camera: Camera, bundle: Bundle) -> None:
    make_result(camera, bundle)
    forget(days_on(9))
    row = ArchivedDay.objects.get()
    whole = row.path.read_bytes()
    assert newly_damaged(days_on(9)) == []
    for _ in range(2):
        row.path.unlink()
        assert [newly_damaged(days_on(9)), newly_damaged(days_on(9))] == [[row], []]
        row.path.write_bytes(whole)
        assert newly_damaged(days_on(9)) == []
        row.refresh_from_db()
        assert row.damaged_at is None


def test_the_worker_archives_every_hour_and_makes_an_event_of_damage(
    camera: Camera, bundle: Bundle
) -> None:
    make_result(camera, bundle)
    tick = Tick("results.archive", 1, days_on(3), lambda: days_on(3), StopSign())
    for _ in due_parts(tick.at):
        archive(Part(camera.organization_id, START.date()), at=tick.at)
    ArchivedDay.objects.get().path.unlink()
    Result.objects.all().delete()
    for _ in range(2):
        tasks.archive(tick)
    event = Event.objects.get(kind="archive.damaged")
    assert (event.organization, str(START.date()) in event.title) == (camera.organization, True)
