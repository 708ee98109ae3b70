"""Results as files for a notebook: a row for each detection, from the table and old days."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import duckdb
import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.core.signals import request_finished
from django.db import close_old_connections, connections
from django.http import HttpResponseBase
from django.test import AsyncClient, Client
from pytest_django.fixtures import Settings

from tests.factories import START, make_bundle
from tests.webapp.results.test_search import draw, forget, scattered, see, standing_at
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.fleet.models import Bundle, Camera
from webapp.results import exporting, search
from webapp.results.exporting import turns

pytestmark = pytest.mark.django_db
URL = "/api/v1/results/export/"
ALL = {"from": "2026-11-21T00:00:00Z", "to": "2026-11-30T00:00:00Z"}


@pytest.fixture(autouse=True)
def own_folder(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.DATA_DIR = tmp_path
    settings.ARCHIVE_AFTER_DAYS = 2
    cache.clear()  # of what the throttle counted
    yield
    assert list(tmp_path.glob(".export-*")) == []


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def asked(client: Client, **query: object) -> HttpResponseBase:
    return client.get(f"{URL}?{urlencode(ALL | query)}")


def content_of(client: Client, **query: object) -> bytes:
    response = asked(client, **query)
    assert response.status_code == 200
    return b"".join(response)


def leave(response: HttpResponseBase) -> None:
    """Have the answer end unread; as Django's client, without closing the test's database."""
    request_finished.disconnect(close_old_connections)
    response.close()
    request_finished.connect(close_old_connections)


def rows_of(client: Client, **query: object) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content_of(client, **query).decode())))


def test_it_works(operator: Client, camera: Camera, bundle: Bundle) -> None:
    see(camera, bundle, 0, 2, after=timedelta(microseconds=1))
    person, car = rows_of(operator)
    listed = operator.get("/api/v1/results/").json()["results"][0]
    assert person == {
        "captured_at": "2026-11-22T12:00:00.000001Z",
        "camera": str(camera.pk),
        "label": "person",
        "score": "0.9000",
        "x0": f"{listed['boxes'][0]['xyxy'][0]:.5f}",
        "y0": f"{listed['boxes'][0]['xyxy'][1]:.5f}",
        "x1": f"{listed['boxes'][0]['xyxy'][2]:.5f}",
        "y1": f"{listed['boxes'][0]['xyxy'][3]:.5f}",
        "track": "1",
        "bundle": str(bundle.pk),
        "result": str(listed["id"]),
    }
    assert (car["label"], car["track"]) == ("car", "2")


def test_the_answer_is_a_file_with_a_name(operator: Client) -> None:
    for format_, kind in (("csv", "text/csv"), ("jsonl", "application/jsonl")):
        response = asked(operator, format=format_)
        assert response["Content-Type"].startswith(kind)
        name = f"farwatch-results-2026-11-21-2026-11-30.{format_}"
        assert response["Content-Disposition"] == f'attachment; filename="{name}"'
        assert response["Cache-Control"] == "private, no-store"
        leave(response)


def test_all_formats_say_the_same_before_and_after_the_days_are_archived(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    operator: Client,
    camera: Camera,
    bundle: Bundle,
) -> None:
    monkeypatch.setattr(search, "AT_ONCE", 7)
    scattered([camera], bundle, seed=2)
    before = rows_of(operator)
    assert len(before) > 50
    assert [row["captured_at"] for row in before] == sorted(row["captured_at"] for row in before)
    forget()
    assert rows_of(operator) == before
    lines = [json.loads(line) for line in content_of(operator, format="jsonl").splitlines()]
    assert [
        (row["captured_at"], row["label"], f"{row['x0']:.5f}", row["track"]) for row in lines
    ] == [(row["captured_at"], row["label"], row["x0"], int(row["track"])) for row in before]
    table = tmp_path / "results.parquet"
    table.write_bytes(content_of(operator, format="parquet"))
    with duckdb.connect() as database:
        said = database.execute(
            "SELECT epoch_us(captured_at), camera, label, track, result FROM read_parquet(?)",
            [str(table)],
        ).fetchall()
    begin_us = round(START.timestamp() * 1e6)
    assert len(said) == len(before)
    assert said[0][0] == begin_us
    assert [(str(row[1]), row[2], str(row[3]), str(row[4])) for row in said] == [
        (row["camera"], row["label"], row["track"], row["result"]) for row in before
    ]


def test_only_detections_of_the_class_and_in_the_zone_are_in_it(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    draw(camera)
    both = standing_at(0.2) + standing_at(0.3, label=2) + standing_at(0.8)
    see(camera, bundle, 0, 2, detections=both)
    assert [row["label"] for row in rows_of(operator, label="person")] == ["person", "person"]
    assert [row["label"] for row in rows_of(operator, zone=UUID(int=1))] == ["person", "car"]
    assert len(rows_of(operator, zone=UUID(int=1), label="person")) == 1
    assert rows_of(operator, label="giraffe") == []


def test_a_stream_begins_although_what_is_sought_is_not_found_soon(
    monkeypatch: pytest.MonkeyPatch, operator: Client, camera: Camera, bundle: Bundle
) -> None:
    monkeypatch.setattr(exporting, "LONGEST_SILENCE_S", 0.0)
    monkeypatch.setattr(search, "AT_ONCE", 1)
    for n, label in enumerate((0, 2, 0)):
        see(camera, bundle, label, after=timedelta(seconds=n))
    assert [piece.count(b"\n") for piece in asked(operator, label="car")] == [1, 1]
    assert list(asked(operator, label="giraffe", format="jsonl")) == [b""]


def test_names_of_classes_stay_what_they_are(operator: Client, camera: Camera) -> None:
    odd = 'a "b", c\u00e9\n'
    see(camera, make_bundle(camera.organization, labels=[odd]), 0, 3)
    assert [row["label"] for row in rows_of(operator)] == [odd, "class 3"]
    lines = content_of(operator, format="jsonl").decode().splitlines()
    assert [json.loads(line)["label"] for line in lines] == [odd, "class 3"]


def test_what_is_untracked_has_no_track(operator: Client, camera: Camera, bundle: Bundle) -> None:
    see(camera, bundle, 0, detections=standing_at(0.5)[:-4] + bytes(4))
    assert rows_of(operator)[0]["track"] == ""
    assert json.loads(content_of(operator, format="jsonl"))["track"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": ""}, "from"),
        ({"from": "2026-10-01T00:00:00Z"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-11-20T00:00:00Z"}, "to"),
        ({"format": "xml"}, "format"),
        ({"camera": "1"}, "camera"),
        ({"zone": UUID(int=9)}, "zone"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_exported_is_refused_by_name(
    operator: Client, query: dict[str, object], field: str
) -> None:
    response = asked(operator, **query)
    assert response.status_code == 400
    assert list(json.loads(b"".join(response))["errors"]) == [field]


def test_it_is_of_the_last_day_by_itself(operator: Client, camera: Camera, bundle: Bundle) -> None:
    for hours in (1, 25):
        see(camera, bundle, 0, after=now() - timedelta(hours=hours) - START)
    assert len(b"".join(operator.get(URL)).splitlines()) == 2


def test_one_at_a_time_a_user(operator: Client, client: Client, olga: User, alice: User) -> None:
    first = asked(operator)
    second = asked(operator)
    assert second.status_code == 429
    assert second["Retry-After"] == "10"
    assert operator.head(f"{URL}?{urlencode(ALL)}").status_code == 429
    other = Client()
    other.force_login(alice)
    assert rows_of(other) == []
    leave(first)
    assert operator.head(f"{URL}?{urlencode(ALL)}").status_code == 200
    assert rows_of(operator) == rows_of(operator) == []


def test_an_export_that_nobody_reads_does_not_bar_another_for_ever(
    monkeypatch: pytest.MonkeyPatch, operator: Client, olga: User
) -> None:
    left = asked(operator)
    with monkeypatch.context() as patch:
        patch.setattr(exporting, "LONGEST_PAUSE_S", 0.0)
        second = asked(operator)
        assert second.status_code == 200
    leave(left)
    with pytest.raises(exporting.Busy):  # that the first is over is not the second's end
        turns.look(olga.pk)
    leave(second)
    turns.look(olga.pk)


def test_a_parquet_file_has_an_end(
    monkeypatch: pytest.MonkeyPatch, operator: Client, camera: Camera, bundle: Bundle
) -> None:
    see(camera, bundle, 0, 0, 0)
    for limit in ("MOST_IN_TABLE", "LONGEST_IN_TABLE_S"):
        with monkeypatch.context() as patch:
            patch.setattr(exporting, limit, 0)
            response = operator.get(f"{URL}?{urlencode(ALL | {'format': 'parquet'})}")
            assert response.status_code == 400
            assert list(response.json()["errors"]) == ["to"]
    assert content_of(operator, format="parquet").startswith(b"PAR1")


def test_so_many_a_minute(operator: Client) -> None:
    said = [operator.head(f"{URL}?{urlencode(ALL)}").status_code for _ in range(31)]
    assert said == [200] * 30 + [429]


def test_nobody_exports_what_is_not_theirs(
    client: Client, charlie: User, bob: User, camera: Camera, bundle: Bundle
) -> None:
    see(camera, bundle, 0)
    client.force_login(charlie)
    assert rows_of(client) == rows_of(client, camera=camera.pk) == []
    client.force_login(bob)
    assert asked(client).status_code == 403


def test_a_damaged_day_is_told_before_anything_is_sent(
    operator: Client, camera: Camera, bundle: Bundle, tmp_path: Path
) -> None:
    see(camera, bundle, 0)
    forget()
    for path in (tmp_path / "archive").glob("*/*.parquet"):
        path.unlink()
    assert asked(operator).status_code == 410
    assert asked(operator).status_code == 410  # and the turn is over


@pytest.mark.django_db(transaction=True)
async def test_it_is_streamed_by_the_servers_that_we_run_and_ends_with_its_reader(
    monkeypatch: pytest.MonkeyPatch,
    async_client: AsyncClient,
    olga: User,
    camera: Camera,
    bundle: Bundle,
) -> None:
    monkeypatch.setattr(search, "AT_ONCE", 1)
    for _ in range(4):
        await sync_to_async(see)(camera, bundle, 0)
    await async_client.aforce_login(olga)
    response = await async_client.get(f"{URL}?{urlencode(ALL)}")
    pieces = [piece async for piece in response]  # type: ignore[attr-defined]  # it is a stream
    assert [piece.count(b"\n") for piece in pieces[:4]] == [2, 1, 1, 1]
    await sync_to_async(response.close)()
    response = await async_client.get(f"{URL}?{urlencode(ALL)}")
    async for _ in response:  # type: ignore[attr-defined]  # it is a stream
        break
    with pytest.raises(exporting.Busy):
        turns.look(olga.pk)
    await sync_to_async(response.close)()
    turns.look(olga.pk)
    await sync_to_async(connections.close_all)()
