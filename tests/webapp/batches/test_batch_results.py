"""What came of a batch, as other people's programs read it: every picture once, in order."""

import json
from http import HTTPStatus
from pathlib import Path

import duckdb
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from pycocotools.coco import COCO

from tests.processing.tiny_bundle import LABELS
from tests.webapp.batches.conftest import Work, jpeg, pictures, send
from webapp.accounts.models import Organization, User
from webapp.batches import exporting
from webapp.batches.models import Batch, WorkerBundle

STRANGE = 'a "quoted", one.png'


@pytest.fixture
def batch(acme: Organization, olga: User, tiny: WorkerBundle, work: Work, client: Client) -> Batch:
    """Eight pictures: one of two things, one of none, one broken; Olga is logged in."""
    files = [
        *pictures(5),
        (STRANGE, jpeg(("red", 1, 1), ("blue", 5, 5))),
        ("empty.png", jpeg()),
        ("broken.jpg", b"\xff\xd8\xff"),
    ]
    batch = send(files, tiny, organization=acme, by=olga)
    work()
    batch.refresh_from_db()
    assert batch.state == "done"
    client.force_login(olga)
    return batch


def fetch(client: Client, batch: Batch, format_: str) -> bytes:
    answer = client.get(f"/api/v1/batches/{batch.pk}/results/", {"format": format_})
    assert answer.status_code == HTTPStatus.OK
    assert "attachment" in answer.headers["Content-Disposition"]
    return b"".join(answer)


def test_json_lines_have_every_picture_once_in_order(client: Client, batch: Batch) -> None:
    lines = [json.loads(line) for line in fetch(client, batch, "jsonl").splitlines()]
    assert [line["number"] for line in lines] == list(range(8))
    assert [line["picture"] for line in lines][5:] == [STRANGE, "empty.png", "broken.jpg"]
    assert [len(line["detections"]) for line in lines] == [1, 1, 1, 1, 1, 2, 0, 0]
    assert [bool(line["error"]) for line in lines] == [False] * 7 + [True]
    assert {line["bundle"] for line in lines} == {batch.bundle}
    found = lines[0]["detections"][0]
    assert found["label"] == LABELS[0]
    for share, pixels in zip(found["xyxy"], found["xyxy_px"], strict=True):
        assert share * 64 == pytest.approx(pixels, abs=0.01)


def test_pycocotools_reads_coco(client: Client, batch: Batch, tmp_path: Path) -> None:
    file = tmp_path / "coco.json"
    file.write_bytes(fetch(client, batch, "coco"))
    coco = COCO(file)
    images = coco.loadImgs(coco.getImgIds())
    assert [image["file_name"] for image in images][5:] == [STRANGE, "empty.png"]
    assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == list(LABELS)
    (strange,) = (image["id"] for image in images if image["file_name"] == STRANGE)
    found = coco.loadAnns(coco.getAnnIds(imgIds=[strange]))
    assert sorted(LABELS[each["category_id"] - 1] for each in found) == ["blue", "red"]
    assert all(0 < each["score"] <= 1 and each["area"] > 0 for each in found)
    again = coco.loadRes([
        {key: each[key] for key in ("image_id", "category_id", "bbox", "score")} for each in found
    ])  # fmt: skip
    assert len(again.getAnnIds()) == 2


def test_duckdb_reads_parquet(client: Client, batch: Batch, tmp_path: Path) -> None:
    file = tmp_path / "batch.parquet"
    file.write_bytes(fetch(client, batch, "parquet"))
    with duckdb.connect() as database:
        rows = database.execute(
            "SELECT number, picture, label, error FROM read_parquet($file)", {"file": str(file)}
        ).fetchall()
        widest = database.execute(
            "SELECT max(abs(x1 * width - x1_px)) FROM read_parquet($file)", {"file": str(file)}
        ).fetchone()
    assert [row[0] for row in rows] == [0, 1, 2, 3, 4, 5, 5, 6, 7]
    assert [row[1] for row in rows][5:8] == [STRANGE, STRANGE, "empty.png"]
    assert {row[2] for row in rows[5:7]} == {"red", "blue"}
    assert [row[2] for row in rows][7:] == [None, None]
    assert rows[8][3].startswith("It is no picture")
    assert widest is not None
    assert widest[0] < 0.01


def test_what_is_not_judged_yet_is_not_in_it(client: Client, batch: Batch) -> None:
    batch.shards.update(results=None, state="waiting")
    assert fetch(client, batch, "jsonl") == b""
    assert json.loads(fetch(client, batch, "coco"))["images"] == []
    assert fetch(client, batch, "parquet")[:4] == b"PAR1"


def test_one_download_at_a_time(client: Client, batch: Batch, olga: User) -> None:
    under_way = exporting.export(batch, "jsonl", user_id=olga.pk)
    next(under_way)
    answer = client.get(f"/api/v1/batches/{batch.pk}/results/")
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    under_way.close()
    assert fetch(client, batch, "jsonl")


def test_too_much_for_a_table_is_said(
    client: Client, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST_IN_TABLE", 3)
    answer = client.get(f"/api/v1/batches/{batch.pk}/results/", {"format": "parquet"})
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert "JSON lines" in answer.json()["errors"]["format"][0]


def test_what_the_store_has_lost_is_said(client: Client, batch: Batch) -> None:
    shard = batch.shards.get()
    assert shard.results is not None
    default_storage.delete(shard.results.path)
    for path in ("results", "pictures"):
        answer = client.get(f"/api/v1/batches/{batch.pk}/{path}/")
        assert answer.status_code == HTTPStatus.GONE
        assert "backup" in answer.json()["detail"]


def test_an_unknown_format_is_named(client: Client, batch: Batch) -> None:
    answer = client.get(f"/api/v1/batches/{batch.pk}/results/", {"format": "xml"})
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert "format" in answer.json()["errors"]
