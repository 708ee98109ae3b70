"""Pictures from elsewhere become samples, labelled or to be; what is refused leaves nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from tests.factories import Clock
from tests.processing.exchange.archives import zipped
from tests.processing.exchange.hostile_archives import HOSTILE
from webapp.accounts.models import Organization, User
from webapp.common.clock import now
from webapp.common.request_limits import most_bytes
from webapp.datasets.actions import IMPORT_SET
from webapp.datasets.incoming import (
    MAX_UNFINISHED_IMPORTS,
    NotAwaited,
    begin_import,
    withdraw_import,
)
from webapp.datasets.models import Annotation, Label, Sample
from webapp.datasets.uploads import MAX_BYTES, VALID_FOR
from webapp.jobs.actions import sweep_jobs
from webapp.jobs.models import Job
from webapp.jobs.registry import HANDLERS
from webapp.jobs.running import JobRunner
from webapp.jobs.worker import LEASE, load_tasks
from webapp.media.actions import put_blob
from webapp.media.models import Blob
from webapp.review.models import ReviewItem

JSON = "application/json"
PATH = "/api/v1/imports/"


@pytest.fixture
def labeler(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def picture(seed: int, suffix: str = ".jpg", *, width: int = 64, height: int = 48) -> bytes:
    colours = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    large = cv2.resize(colours, (width, height), interpolation=cv2.INTER_NEAREST)
    return bytes(cv2.imencode(suffix, large)[1].tobytes())


def yolo(*lines: str) -> bytes:
    return zipped(
        [
            ("data.yaml", b"names: [cat, dog]\n"),
            ("labels/a.txt", "".join(f"{line}\n" for line in lines).encode()),
            ("images/a.jpg", picture(1)),
        ]
    )


def work(clock: Clock) -> None:
    """Do all that waits, and what comes of that."""
    load_tasks()
    runner = JobRunner(handlers=HANDLERS, clock=clock.now, lease=LEASE)
    while job := Job.objects.filter(
        state=Job.State.WAITING, due_at=None, delivery__isnull=False
    ).first():
        runner.run(job.id, job.attempt + 1)


def imported(client: Client, clock: Clock, file: bytes, name: str = "set.zip") -> dict[str, object]:
    address = client.post(PATH, {"name": name}, content_type=JSON)
    assert address.status_code == 201, address.content
    answer = client.post(address.json()["upload"], file, content_type="application/octet-stream")
    assert answer.status_code == 202, answer.content
    work(clock)
    return dict(client.get(answer.headers["Location"]).json())


def test_it_works(labeler: Client, clock: Clock, bob: User) -> None:
    done = imported(labeler, clock, yolo("1 0.5 0.5 0.25 0.5"))
    assert (done["state"], done["format"], done["n_images"], done["n_boxes"]) == (
        "done", "YOLO", 1, 1,
    )  # fmt: skip
    sample = Sample.objects.get()
    assert (sample.taken_by, sample.width, sample.height, sample.state) == (
        "a.jpg", 64, 48, "ready",
    )  # fmt: skip
    annotation = Annotation.objects.get(sample=sample, is_current=True)
    assert annotation.author == bob
    assert annotation.boxes == [{"xyxy": [0.375, 0.25, 0.625, 0.75], "label": "dog"}]
    assert list(Label.objects.values_list("name", "number")) == [("cat", 0), ("dog", 1)]
    assert not ReviewItem.objects.exists(), "nobody needs to be asked"
    shown = labeler.get(f"/media/{sample.id}/")
    assert shown.status_code == 200
    shown.close()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_picture_alone_goes_to_the_labelers(labeler: Client, clock: Clock, suffix: str) -> None:
    done = imported(labeler, clock, picture(1, suffix), f"yard{suffix}")
    assert (done["n_images"], done["n_labelled"]) == (1, 0)
    item = ReviewItem.objects.get()
    assert (item.reason, item.why) == ("imported", "Imported, to be labelled")
    assert (item.sample.taken_by, item.sample.state) == (f"yard{suffix}", "ready")


def test_pictures_without_labels_go_to_the_labelers_and_others_do_not(
    labeler: Client, clock: Clock
) -> None:
    box = {"image_id": 1, "category_id": 5, "bbox": [8, 8, 16, 16]}
    coco = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}],
        "categories": [{"id": 5, "name": "cat"}],
        "annotations": [box],
    }
    files = [("set.json", json.dumps(coco).encode()), ("a.jpg", picture(1)), ("b.jpg", picture(2))]
    done = imported(labeler, clock, zipped(files))
    assert (done["n_images"], done["n_labelled"], done["n_boxes"]) == (2, 1, 1)
    assert ReviewItem.objects.get().sample.taken_by == "b.jpg"


def test_the_same_again_changes_nothing(labeler: Client, clock: Clock) -> None:
    imported(labeler, clock, yolo("1 0.5 0.5 0.25 0.5"))
    done = imported(labeler, clock, yolo("0 0.5 0.5 0.25 0.5"))
    assert (done["n_known"], done["n_labelled"]) == (1, 0)
    assert Sample.objects.count() == Annotation.objects.count() == 1


def test_a_picture_that_is_none_is_left_out_and_told(labeler: Client, clock: Clock) -> None:
    files = [("a.jpg", picture(1)), ("b.jpg", b"\xff\xd8\xff, not really")]
    done = imported(labeler, clock, zipped(files))
    assert done["n_images"] == 1
    assert done["notes"] == ["b.jpg: the JPEG has no size: its header is damaged"]


def test_a_set_that_lies_about_a_pictures_size_does_not_get_it_in(
    labeler: Client, clock: Clock
) -> None:
    coco = b"""{"images": [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480}],
        "categories": [], "annotations": []}"""
    done = imported(labeler, clock, zipped([("set.json", coco), ("a.jpg", picture(1))]))
    assert done["state"] == "failed"
    assert "64 x 48 that the set says is 640 x 480" in str(done["error"])


def test_boxes_too_thin_to_edit_are_left_out(labeler: Client, clock: Clock) -> None:
    done = imported(labeler, clock, yolo("1 0.5 0.5 0.25 0.5", "0 0.5 0.5 0.001 0.5"))
    assert done["n_boxes"] == 1
    assert done["notes"] == ["Boxes thinner than a pixel, or outside their picture: 1."]


def test_notes_are_the_first_and_the_rest_is_counted(labeler: Client, clock: Clock) -> None:
    broken = [(f"images/{n}.jpg", b"\xff\xd8\xff, not really") for n in range(21)]
    files = [
        ("data.yaml", b"names: [cat]\n"),
        ("labels/a.txt", b"0 0.5 0.5 0.25 0.5 0.87\n"),
        ("images/a.jpg", picture(1)),
        *broken,
    ]
    done = imported(labeler, clock, zipped(files))
    notes = done["notes"]
    assert isinstance(notes, list)
    assert (len(notes), notes[0]) == (20, "How sure a model was is not kept: 1.")
    assert "and 2 more" in labeler.get(reverse("imports")).content.decode()


def test_an_absurd_number_fails_in_words(labeler: Client, clock: Clock) -> None:
    coco = b'{"images": [{"id": 1, "file_name": "a.jpg", "width": 1%s, "height": 48}],' % (
        b"0" * 400
    )
    files = [("set.json", coco + b'"categories": [], "annotations": []}'), ("a.jpg", picture(1))]
    done = imported(labeler, clock, zipped(files))
    assert done["state"] == "failed"
    assert "set.json" in str(done["error"])
    assert "$.images[0].width" in str(done["error"])


def test_what_of_a_set_cannot_be_kept_is_said(labeler: Client, clock: Clock) -> None:
    done = imported(labeler, clock, yolo("1 0.5 0.5 0.25 0.5 0.87"))
    assert done["notes"] == ["How sure a model was is not kept: 1."]


def files_on_disk() -> set[Path]:
    found = (path for path in Path(settings.DATA_DIR).rglob("*") if path.is_file())
    return {path for path in found if ".sqlite3" not in path.name}


@pytest.mark.parametrize(
    ("make", "reason"), [pytest.param(make, reason, id=name) for name, make, reason in HOSTILE]
)
def test_a_hostile_archive_is_refused_in_words_and_leaves_nothing(
    labeler: Client,
    clock: Clock,
    make: Callable[[], bytes],
    reason: str,
    django_capture_on_commit_callbacks: object,
) -> None:
    before = files_on_disk()
    content = make()
    address = labeler.post(PATH, {"name": "set.zip"}, content_type=JSON).json()["upload"]
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]  # a fixture
        answer = labeler.post(address, content, content_type="application/zip")
        work(clock)
    if answer.status_code == 400:
        assert answer.json()["detail"] == "This is neither a zip archive nor a JPEG or PNG picture."
    else:
        job = labeler.get(answer.headers["Location"]).json()
        assert job["state"] == "failed"
        assert reason.casefold() in job["error"].casefold()
    assert not Sample.objects.exists()
    assert not Blob.objects.exists()
    assert files_on_disk() == before


def test_only_a_given_address_takes_more_than_usual(labeler: Client) -> None:
    address = labeler.post(PATH, {"name": "set.zip"}, content_type=JSON).json()["upload"]
    assert most_bytes(address) == MAX_BYTES
    assert most_bytes(f"{address}x") == most_bytes("/uploads/imports/") == most_bytes("/")


def test_an_address_is_good_for_who_asked_for_it_alone(
    labeler: Client, alice: User, charlie: User
) -> None:
    address = labeler.post(PATH, {"name": "set.zip"}, content_type=JSON).json()["upload"]
    for other in (alice, charlie):
        labeler.force_login(other)
        assert labeler.post(address, yolo(), content_type="application/zip").status_code == 404
    assert not Job.objects.get().arguments.keys() - {"name"}


def test_nonsense_is_refused_by_field(labeler: Client) -> None:
    for wrong in ({}, {"name": "x" * 300}, {"name": ["set.zip"]}):
        answer = labeler.post(PATH, wrong, content_type=JSON)
        assert answer.status_code == 400
        assert "name" in answer.json()["errors"]
    assert labeler.post("/uploads/imports/none", b"x", content_type=JSON).status_code == 404


def test_a_line_that_is_no_box_is_refused_and_none_is_made_of_it(
    labeler: Client, clock: Clock
) -> None:
    job = imported(labeler, clock, yolo("0 0.1 0.1 0.9"))
    assert "labels/a.txt, line 1: not a box" in str(job["error"])
    assert not Sample.objects.exists()


def test_an_export_that_is_imported_again_can_still_be_fetched(
    labeler: Client, clock: Clock
) -> None:
    imported(labeler, clock, yolo("0 0.5 0.5 0.5 0.5"))
    labeler.post("/api/v1/exports/", {"format": "yolo"}, content_type=JSON)
    work(clock)
    export = Job.objects.get(kind="export_set")
    file = f"/api/v1/exports/{export.pk}/file/"
    content = labeler.get(file).getvalue()
    imported(labeler, clock, content)
    assert labeler.get(file).getvalue() == content


def test_what_is_not_done_is_counted_and_no_more_is_taken(labeler: Client, charlie: User) -> None:
    for _ in range(MAX_UNFINISHED_IMPORTS):
        assert labeler.post(PATH, {"name": "a.jpg"}, content_type=JSON).status_code == 201
    refused = labeler.post(PATH, {"name": "a.jpg"}, content_type=JSON)
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (
        409, "too-many-imports",
    )  # fmt: skip
    assert "cancel them" in refused.json()["detail"]
    first = Job.objects.filter(kind=IMPORT_SET).earliest("pk")
    assert labeler.post(reverse("job-cancel", args=[first.pk])).status_code == 200
    assert labeler.post(PATH, {"name": "a.jpg"}, content_type=JSON).status_code == 201
    labeler.force_login(charlie)
    assert labeler.post(PATH, {"name": "a.jpg"}, content_type=JSON).status_code == 201, "theirs"


def test_an_address_takes_one_file(labeler: Client) -> None:
    address = labeler.post(PATH, {"name": "a.jpg"}, content_type=JSON).json()["upload"]
    answers = [labeler.post(address, picture(seed), content_type="image/jpeg") for seed in (1, 2)]
    assert [answer.status_code for answer in answers] == [202, 409]
    assert answers[1].json()["detail"].startswith("This import has its file")
    assert Blob.objects.count() == 1


def test_what_is_no_set_does_not_end_an_import_that_has_its_file(
    labeler: Client, clock: Clock
) -> None:
    address = labeler.post(PATH, {"name": "a.jpg"}, content_type=JSON).json()["upload"]
    seen_before = Job.objects.get()
    assert labeler.post(address, picture(1), content_type="image/jpeg").status_code == 202
    assert labeler.post(address, b"hello", content_type="text/plain").status_code == 409
    withdraw_import(seen_before, at=now())  # what came at once, and was judged too late
    work(clock)
    assert Job.objects.get(kind=IMPORT_SET).state == Job.State.DONE


def test_of_two_files_that_come_at_once_one_is_taken(labeler: Client, acme: Organization) -> None:
    address = labeler.post(PATH, {"name": "a.jpg"}, content_type=JSON).json()["upload"]
    seen_before = Job.objects.get()
    assert labeler.post(address, picture(1), content_type="image/jpeg").status_code == 202
    other = put_blob(b"hello", content_type="text/plain", organization=acme, at=now())
    with pytest.raises(NotAwaited, match="has its file"):
        begin_import(seen_before, file=other, at=now())
    Job.objects.all().delete()
    with pytest.raises(NotAwaited, match="is over"):
        begin_import(seen_before, file=other, at=now())


def test_a_file_for_an_import_that_was_cancelled_is_not_kept(labeler: Client) -> None:
    announced = labeler.post(PATH, {"name": "a.jpg"}, content_type=JSON).json()
    labeler.post(reverse("job-cancel", args=[announced["id"]]))
    answer = labeler.post(announced["upload"], picture(1), content_type="image/jpeg")
    assert (answer.status_code, answer.json()["detail"]) == (
        409, "This import is over: ask for another address.",
    )  # fmt: skip
    assert not Blob.objects.exists()


def test_what_is_no_set_leaves_no_import_waiting(labeler: Client) -> None:
    address = labeler.post(PATH, {"name": "a.txt"}, content_type=JSON).json()["upload"]
    assert labeler.post(address, b"hello", content_type="text/plain").status_code == 400
    assert not Job.objects.exists()


def test_an_import_whose_file_never_comes_ends_in_words(labeler: Client, clock: Clock) -> None:
    announced = labeler.post(PATH, {"name": "a.jpg"}, content_type=JSON).json()
    sweep_jobs(at=now())
    work(clock)
    assert Job.objects.get().state == Job.State.WAITING, "it may still come"
    sweep_jobs(at=now() + 2 * VALID_FOR)
    work(clock)
    job = labeler.get(f"{PATH}{announced['id']}/").json()
    assert (job["state"], job["error"]) == ("failed", "Its file never came. Send it again.")


def test_an_import_whose_file_was_lost_ends_in_words(labeler: Client, clock: Clock) -> None:
    address = labeler.post(PATH, {"name": "a.jpg"}, content_type=JSON).json()["upload"]
    answer = labeler.post(address, picture(1), content_type="image/jpeg")
    default_storage.delete(Blob.objects.get().path)
    work(clock)
    job = labeler.get(answer.headers["Location"]).json()
    assert (job["state"], job["error"]) == (
        "failed",
        "The file is not there any more. Send it again.",
    )


def test_the_end_of_a_long_name_is_kept(labeler: Client, clock: Clock) -> None:
    imported(labeler, clock, zipped([(f"{'x' * 240}.jpg", picture(1))]))
    (name,) = Sample.objects.values_list("file_name", flat=True)
    assert (len(name), name[-5:]) == (200, "x.jpg")
