"""What people said of samples becomes a COCO file that other people's tools read."""

import json
from io import BytesIO
from pathlib import Path, PurePosixPath

import pytest
from django.test import Client
from pycocotools.coco import COCO

from processing.exchange.archive import Archive
from processing.exchange.sets import read_archive
from tests.factories import JPEG, START, Clock, make_bundle, make_camera, make_sample
from webapp.accounts.models import User
from webapp.datasets.actions import MAX_UNFINISHED_EXPORTS
from webapp.datasets.models import Annotation, Sample
from webapp.fleet.models import Bundle, Camera
from webapp.jobs.models import Job
from webapp.jobs.registry import HANDLERS
from webapp.jobs.running import JobRunner
from webapp.jobs.worker import LEASE, load_tasks

JSON = "application/json"
PATH = "/api/v1/exports/"


@pytest.fixture
def labeler(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def annotate(sample: Sample, *boxes: tuple[str, list[float]]) -> Annotation:
    return Annotation.objects.create(
        organization=sample.organization,
        sample=sample,
        created_at=START,
        boxes=[{"xyxy": xyxy, "label": label} for label, xyxy in boxes],
    )


def work(clock: Clock) -> None:
    load_tasks()
    runner = JobRunner(handlers=HANDLERS, clock=clock.now, lease=LEASE)
    for job in Job.objects.filter(state=Job.State.WAITING):
        runner.run(job.id, job.attempt + 1)


def exported(client: Client, clock: Clock, **wanted: object) -> bytes:
    answer = client.post(PATH, wanted, content_type=JSON)
    assert answer.status_code == 202, answer.content
    work(clock)
    export = client.get(answer.headers["Location"]).json()
    assert export["state"] == "done", export
    file = client.get(export["file"])
    assert file.headers["Content-Disposition"].startswith("attachment")
    return b"".join(file.streaming_content)  # type: ignore[attr-defined]  # a file response


def test_it_works(
    labeler: Client, camera: Camera, bundle: Bundle, clock: Clock, tmp_path: Path
) -> None:
    corrected = make_sample(camera, bundle)
    empty = make_sample(camera, bundle)
    make_sample(camera, bundle)  # nobody has looked at it
    annotate(corrected, ("car", [0.25, 0.5, 0.75, 1.0]), ("person", [0.0, 0.0, 0.1, 0.5]))
    annotate(empty)
    path = tmp_path / "coco.json"
    path.write_bytes(exported(labeler, clock))
    coco = COCO(str(path))
    assert {image["file_name"] for image in coco.imgs.values()} == {
        f"images/{corrected.id}.jpg",
        f"images/{empty.id}.jpg",
    }
    assert [(found["id"], found["name"]) for found in coco.cats.values()] == [
        (1, "person"),
        (2, "bicycle"),
        (3, "car"),
    ]
    (car,) = (found for found in coco.anns.values() if found["category_id"] == 3)
    assert car["bbox"] == [160.0, 136.0, 320.0, 136.0]
    assert (car["area"], car["iscrowd"]) == (320.0 * 136.0, 0)
    assert coco.imgs[car["image_id"]]["width"] == 640
    assert min(coco.anns) > 0


def test_images_and_categories_keep_their_numbers(
    labeler: Client, camera: Camera, bundle: Bundle, clock: Clock
) -> None:
    later = make_sample(camera, bundle)
    annotate(make_sample(camera, bundle), ("car", [0, 0, 1, 1]))
    before = json.loads(exported(labeler, clock))
    annotate(later, ("person", [0, 0, 1, 1]))
    after = json.loads(exported(labeler, clock))
    numbers = {image["file_name"]: image["id"] for image in after["images"]}
    assert numbers[before["images"][0]["file_name"]] == before["images"][0]["id"]
    assert after["categories"] == before["categories"]
    assert len(after["images"]) == 2


def test_only_the_newest_annotation_counts(
    labeler: Client, camera: Camera, bundle: Bundle, clock: Clock
) -> None:
    sample = make_sample(camera, bundle)
    old = annotate(sample, ("car", [0, 0, 1, 1]))
    old.is_current = False
    old.save()
    annotate(sample, ("person", [0, 0, 1, 1]))
    (box,) = json.loads(exported(labeler, clock))["annotations"]
    assert box["category_id"] == 1


def test_it_can_be_of_some_cameras_only(
    labeler: Client, camera: Camera, bundle: Bundle, clock: Clock
) -> None:
    other = make_camera(camera.agent)
    annotate(make_sample(camera, bundle))
    annotate(make_sample(other, bundle))
    file = json.loads(exported(labeler, clock, cameras=[str(other.id)]))
    assert len(file["images"]) == 1


def test_nothing_of_anybody_else_is_in_it(
    client: Client, charlie: User, camera: Camera, bundle: Bundle, clock: Clock
) -> None:
    annotate(make_sample(camera, bundle), ("car", [0, 0, 1, 1]))
    client.force_login(charlie)
    assert json.loads(exported(client, clock))["images"] == []
    answer = client.post(PATH, {"cameras": [str(camera.id)]}, content_type=JSON)
    assert "cameras" in answer.json()["errors"]


def test_somebody_elses_export_is_not_there(
    labeler: Client, charlie: User, camera: Camera, clock: Clock
) -> None:
    exported(labeler, clock)
    export = Job.objects.get()
    labeler.force_login(charlie)
    assert labeler.get(f"{PATH}{export.id}/").status_code == 404
    assert labeler.get(f"{PATH}{export.id}/file/").status_code == 404


def test_the_file_is_not_there_before_it_is_done(labeler: Client) -> None:
    export = labeler.post(PATH, {}, content_type=JSON).json()
    assert (export["state"], export["file"]) == ("waiting", None)
    assert labeler.get(f"{PATH}{export['id']}/file/").status_code == 404


def test_exports_do_not_pile_up(labeler: Client) -> None:
    for _ in range(MAX_UNFINISHED_EXPORTS):
        assert labeler.post(PATH, {}, content_type=JSON).status_code == 202
    answer = labeler.post(PATH, {}, content_type=JSON)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:farwatch:problem:too-many-exports"


def test_who_asked_can_call_it_off(labeler: Client) -> None:
    export = labeler.post(PATH, {}, content_type=JSON).json()
    answer = labeler.post(f"/api/v1/jobs/{export['id']}/cancel/")
    assert answer.json()["state"] == "cancelled"
    assert labeler.post(f"/api/v1/jobs/{export['id']}/cancel/").status_code == 409


def test_another_member_cannot_call_it_off_and_an_admin_can(
    labeler: Client, olga: User, alice: User
) -> None:
    export = labeler.post(PATH, {}, content_type=JSON).json()
    labeler.force_login(olga)
    assert labeler.post(f"/api/v1/jobs/{export['id']}/cancel/").status_code == 403
    labeler.force_login(alice)
    assert labeler.post(f"/api/v1/jobs/{export['id']}/cancel/").status_code == 200


def test_operators_do_not_export(client: Client, olga: User) -> None:
    client.force_login(olga)
    assert client.post(PATH, {}, content_type=JSON).status_code == 403


@pytest.mark.parametrize("format_", ["yolo", "yolo_seg", "voc", "datumaro"])
def test_other_formats_come_with_the_pictures(
    labeler: Client, camera: Camera, bundle: Bundle, clock: Clock, format_: str
) -> None:
    sample = make_sample(camera, bundle)
    found = annotate(sample, ("car", [0.25, 0.5, 0.75, 1.0]))
    found.boxes[0]["polygon"] = [[0.25, 0.5], [0.75, 0.5], [0.5, 1.0]]
    found.classes = ["rainy"]
    found.save()
    annotate(make_sample(camera, bundle))
    with Archive(BytesIO(exported(labeler, clock, format=format_))) as archive:
        read = read_archive(archive)
        assert list(read.labels) == ["person", "bicycle", "car", "rainy"]
        boxes = {PurePosixPath(each.file_name).stem: each.boxes for each in read.pictures}
        (box,) = boxes.pop(str(sample.id)) or ()
        assert (box.xyxy, box.label) == ((0.25, 0.5, 0.75, 1.0), "car")
        assert list(boxes.values()) == [()]
        assert archive.read(read.pictures[0].file_name, most=1000) == JPEG


def test_what_the_format_cannot_hold_is_said(
    labeler: Client, camera: Camera, bundle: Bundle, clock: Clock
) -> None:
    found = annotate(make_sample(camera, bundle), ("car", [0.25, 0.5, 0.75, 1.0]))
    found.boxes[0]["polygon"] = [[0.25, 0.5], [0.75, 0.5], [0.5, 1.0]]
    found.save()
    exported(labeler, clock, format="yolo")
    words = ["Outlines went out as their boxes: 1."]
    assert labeler.get(f"{PATH}{Job.objects.get().id}/").json()["notes"] == words


def test_a_format_that_is_none_is_refused(labeler: Client) -> None:
    answer = labeler.post(PATH, {"format": "xls"}, content_type=JSON)
    assert answer.status_code == 400
    assert "format" in answer.json()["errors"]


def test_class_numbers_are_for_good(
    labeler: Client, camera: Camera, bundle: Bundle, clock: Clock
) -> None:
    annotate(make_sample(camera, bundle), ("zebra", [0, 0, 1, 1]))
    before = json.loads(exported(labeler, clock))["categories"]
    make_bundle(camera.organization, labels=["ant", "person"])
    annotate(make_sample(camera, bundle), ("bear", [0, 0, 1, 1]))
    after = json.loads(exported(labeler, clock))["categories"]
    assert after[: len(before)] == before
    assert [each["name"] for each in after[len(before) :]] == ["ant", "bear"]
    assert [each["id"] for each in after] == list(range(1, 7))
