"""A batch's pictures are listed once and judged once, in order, whatever they are and were."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from tests.factories import START, make_blob, make_sample
from tests.processing.exchange.hostile_archives import HOSTILE
from tests.processing.tiny_bundle import LABELS
from tests.webapp.batches.conftest import (
    Work,
    jpeg,
    names_found,
    new_batch,
    pictures,
    put_folder,
    send,
)
from webapp.accounts.models import Organization, User
from webapp.batches import actions, listing
from webapp.batches.actions import (
    MAX_UNFINISHED,
    NoPictures,
    NotAwaited,
    TooManyBatches,
    begin_upload,
    create_batch,
)
from webapp.batches.listing import folder_path
from webapp.batches.models import Batch, WorkerBundle
from webapp.batches.queries import failed_pictures
from webapp.common.clock import now
from webapp.datasets.models import Annotation
from webapp.fleet.models import Bundle, Camera

OPENED = {"damaged", "a bomb that lies"}
"""Archives that are well made: what is wrong is wrong with their pictures."""
SETS = {"no JSON", "JSON without end", "a set of other pictures", "XML with words of its own"}
"""What is wrong is wrong with what they say of their pictures, which nobody reads here."""


def test_it_works(acme: Organization, olga: User, tiny: WorkerBundle, work: Work) -> None:
    batch = send(pictures(10), tiny, organization=acme, by=olga)
    work()
    batch.refresh_from_db()
    assert (batch.state, batch.n_items, batch.n_done, batch.n_failed) == ("done", 10, 10, 0)
    assert names_found(batch) == [(f"{n:05}.png", [LABELS[n % 3]]) for n in range(10)]
    assert batch.counts == {"blue": 4, "green": 3, "red": 3}
    assert batch.n_found == 10


def test_pictures_that_cannot_be_read_say_why_and_hold_up_nobody(
    acme: Organization, olga: User, tiny: WorkerBundle, work: Work
) -> None:
    files = [*pictures(2), ("broken.jpg", b"\xff\xd8\xff no picture"), ("none.png", b"")]
    batch = send([*files, ("notes.txt", b"hello")], tiny, organization=acme, by=olga)
    work()
    batch.refresh_from_db()
    assert (batch.state, batch.n_done, batch.n_failed) == ("done", 4, 2)
    assert batch.notes == ["Files that are no pictures: 1."]
    failures = {found.item.name: found.outcome for found in failed_pictures(batch, most=9)}
    assert set(failures) == {"broken.jpg", "none.png"}
    assert all(outcome and outcome.error for outcome in failures.values())


def test_a_folder_is_judged_with_all_that_is_in_it(
    acme: Organization, olga: User, tiny: WorkerBundle, work: Work
) -> None:
    put_folder(acme, "2026/may", [("b.png", jpeg(("red", 1, 1))), ("a.PNG", jpeg(("blue", 1, 1)))])
    put_folder(acme, "2026/may/deep", [("c.png", jpeg(("green", 1, 1)))])
    put_folder(acme, "2026/may", [(".hidden.png", jpeg()), ("notes.txt", b"hello")])
    put_folder(acme, "2026/june", pictures(1))
    wish = new_batch(tiny, source="folder", wanted={"folder": "2026/may"})
    batch = create_batch(wish, organization=acme, by=olga, at=now())
    work()
    batch.refresh_from_db()
    assert names_found(batch) == [
        ("a.PNG", ["blue"]),
        ("b.png", ["red"]),
        ("deep/c.png", ["green"]),
    ]


def test_what_a_folder_has_that_cannot_be_judged_is_told(
    acme: Organization, olga: User, tiny: WorkerBundle, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One name of another encoding, and one picture too large: neither stops the others."""
    monkeypatch.setattr(listing, "MAX_PICTURE_BYTES", 2_000)
    put_folder(acme, "old", [*pictures(1), ("large.png", b"x" * 2_001)])
    folder = os.fsencode(default_storage.path(folder_path(acme.pk, "old")))
    Path(os.fsdecode(folder + b"/caf\xe9.png")).write_bytes(jpeg())
    wish = new_batch(tiny, source="folder", wanted={"folder": "old"})
    batch = create_batch(wish, organization=acme, by=olga, at=now())
    work()
    batch.refresh_from_db()
    assert (batch.state, batch.n_items) == ("done", 1)
    assert batch.notes == [
        "caf?.png: its name cannot be written down",
        "large.png: 2001 bytes, at most 2000 are opened",
    ]


def test_what_cameras_kept_in_a_time_is_judged_oldest_first(
    acme: Organization, olga: User, tiny: WorkerBundle, work: Work, camera: Camera, bundle: Bundle
) -> None:
    for hours, label in ((3, "red"), (1, "green"), (2, "blue"), (9, "red")):
        blob = make_blob(acme, jpeg((label, hours % 8, 1)), content_type="image/png")
        make_sample(camera, bundle, captured_at=START + timedelta(hours=hours), picture=blob)
    make_sample(camera, bundle, captured_at=START + timedelta(hours=2), state="broken")
    wanted = {
        "cameras": [str(camera.pk)],
        "from": START.isoformat(),
        "to": (START + timedelta(hours=5)).isoformat(),
    }
    wish = new_batch(tiny, source="samples", wanted=wanted)
    batch = create_batch(wish, organization=acme, by=olga, at=now())
    work()
    batch.refresh_from_db()
    assert [found for _, found in names_found(batch)] == [["green"], ["blue"], ["red"]]
    assert names_found(batch)[0][0].startswith("Gate, 2026-11-22 13:00:00")


def test_only_what_people_labelled_when_that_is_asked_for(
    acme: Organization, olga: User, tiny: WorkerBundle, work: Work, camera: Camera, bundle: Bundle
) -> None:
    labelled = make_sample(camera, bundle)
    make_sample(camera, bundle)
    Annotation.objects.create(organization=acme, sample=labelled, created_at=START)
    wish = new_batch(tiny, source="samples", wanted={"is_labelled": True})
    batch = create_batch(wish, organization=acme, by=olga, at=now())
    work()
    batch.refresh_from_db()
    assert batch.n_items == 1


def test_the_list_stays_as_it_was_when_the_batch_began(
    acme: Organization, olga: User, tiny: WorkerBundle, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_folder(acme, "inbox", pictures(3))
    wish = new_batch(tiny, source="folder", wanted={"folder": "inbox"})
    batch = create_batch(wish, organization=acme, by=olga, at=now())
    with monkeypatch.context() as patched:
        patched.setattr(actions, "add_lanes", lambda *_args, **_named: None)
        work()
    put_folder(acme, "inbox", [("00009.png", jpeg())])
    default_storage.delete(f"{acme.pk}/folders/inbox/00000.png")
    put_folder(acme, "inbox", [("00001.png", jpeg(("red", 1, 1), ("red", 5, 5), ("blue", 3, 3)))])
    batch.refresh_from_db()
    actions.add_lanes(batch, at=now())
    work()
    batch.refresh_from_db()
    assert (batch.n_items, batch.n_failed) == (3, 2)
    said = [found.outcome.error for found in failed_pictures(batch, most=9) if found.outcome]
    assert said == ["It is not there any more.", "It is not what it was when the batch began."]


@pytest.mark.parametrize("hostile", HOSTILE, ids=[name for name, *_ in HOSTILE])
def test_an_archive_that_is_no_good_stops_nothing(
    acme: Organization,
    olga: User,
    tiny: WorkerBundle,
    work: Work,
    hostile: tuple[str, Callable[[], bytes], str],
) -> None:
    name, make, reason = hostile
    batch = create_batch(new_batch(tiny), organization=acme, by=olga, at=now())
    content = make()
    file = make_blob(acme, content, content_type="application/octet-stream")
    if not content.startswith(b"PK\x03\x04"):
        with pytest.raises(NoPictures):
            begin_upload(batch, file=file, at=now())
        return
    begin_upload(batch, file=file, at=now())
    work()
    batch.refresh_from_db()
    if name in OPENED:
        assert (batch.state, batch.n_failed) == ("done", batch.n_items)
    elif name not in SETS:
        assert (batch.state, batch.n_items) == ("failed", 0)
        assert reason in batch.error or batch.error == "There is no picture in it."


def test_one_picture_needs_no_archive(
    acme: Organization, olga: User, tiny: WorkerBundle, work: Work
) -> None:
    wish = new_batch(tiny, wanted={"name": "one.png"})
    batch = create_batch(wish, organization=acme, by=olga, at=now())
    file = make_blob(acme, jpeg(("red", 2, 2)), content_type="application/octet-stream")
    begin_upload(batch, file=file, at=now())
    with pytest.raises(NotAwaited):
        begin_upload(batch, file=file, at=now())
    work()
    batch.refresh_from_db()
    assert names_found(batch) == [("one.png", ["red"])]


def test_an_organization_has_only_so_many_under_way(
    acme: Organization, olga: User, tiny: WorkerBundle
) -> None:
    for _ in range(MAX_UNFINISHED):
        create_batch(new_batch(tiny), organization=acme, by=olga, at=now())
    with pytest.raises(TooManyBatches):
        create_batch(new_batch(tiny), organization=acme, by=olga, at=now())
    Batch.objects.update(state="done")
    create_batch(new_batch(tiny), organization=acme, by=olga, at=now())


def test_more_pictures_than_a_batch_has_are_refused(
    acme: Organization, olga: User, tiny: WorkerBundle, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MAX_ITEMS", 3)
    batch = send(pictures(4), tiny, organization=acme, by=olga)
    work()
    batch.refresh_from_db()
    assert batch.state == "failed"
    assert batch.error == "Refused: More than 3 pictures: make several batches of them."
