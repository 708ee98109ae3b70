"""Writing datasets in other people's formats, and reading them. Loaded by workers alone."""

import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Final
from uuid import UUID

from django.core.files.storage import default_storage

from processing.exchange.archive import Archive, BadArchive
from processing.exchange.coco_export import encode_coco, to_coco
from processing.exchange.labelled import BadSet, LabelledBox, LabelledPicture, ReadPicture, ReadSet
from processing.exchange.sets import PICTURE_FOLDERS, WRITERS, left_out, read_archive
from processing.media.cleaning import MAX_PIXELS, clean_picture
from processing.media.jpeg import MAX_BYTES, BadPicture, decode_jpeg
from processing.media.stills import as_jpeg
from processing.vision.looks import look_of
from processing.wire.limits import MAX_NAME
from webapp.datasets.actions import EXPORT_SET, IMPORT_SET, number_labels
from webapp.datasets.imports import CheckedPicture, Outcome, add_picture
from webapp.datasets.incoming import drop_sent
from webapp.datasets.models import Annotation
from webapp.datasets.queries import current_annotations
from webapp.jobs.attempts import Attempt
from webapp.jobs.interruptions import CannotBeDone
from webapp.jobs.models import Job
from webapp.jobs.registry import does
from webapp.media.actions import put_blob, put_chunks
from webapp.media.models import Blob
from webapp.media.queries import BlobLost, read_blob

STEP: Final = 20
"""Pictures between two looks at whether to go on."""
_CHUNK: Final = 1024 * 1024
_MOST_NOTES: Final = 20
_FILE_GONE: Final = "The file is not there any more. Send it again."


@does(EXPORT_SET)
def export_set(attempt: Attempt) -> None:
    """Write what people said of the organization's samples in another tool's format."""
    format_ = str(attempt.arguments.get("format", "coco"))
    annotations = list(_annotations(attempt))
    pictures = [_labelled(annotation, PICTURE_FOLDERS[format_]) for annotation in annotations]
    used = {box.label for picture in pictures for box in picture.boxes}
    used.update(name for picture in pictures for name in picture.classes)
    labels = number_labels(attempt.organization, used=used)
    if format_ == "coco":
        blob = _coco(attempt, pictures, labels)
    else:
        files = WRITERS[format_](pictures, labels=labels)
        blob = _zipped(attempt, files, pictures, annotations)
    with attempt.finishing() as result:
        result["blob"] = str(blob.id)
        result["n_images"] = len(pictures)
        result["n_boxes"] = sum(len(picture.boxes) for picture in pictures)
        result["notes"] = left_out(format_, pictures)


@does(IMPORT_SET)
def import_set(attempt: Attempt) -> None:
    """Make the pictures of a file samples; what is refused leaves nothing behind."""
    if "file" not in attempt.arguments:
        raise CannotBeDone("Its file never came. Send it again.")
    file = Blob.objects.filter(pk=str(attempt.arguments["file"])).first()
    if file is None:
        raise CannotBeDone(_FILE_GONE)
    try:
        _import(attempt, file)
    except (FileNotFoundError, BlobLost) as lost:
        raise CannotBeDone(_FILE_GONE) from lost
    except (BadArchive, BadSet) as refused:
        drop_sent(file, by=attempt.job_id)
        raise CannotBeDone(f"Refused: {refused}.") from refused
    drop_sent(file, by=attempt.job_id)


def _annotations(attempt: Attempt) -> Iterator[Annotation]:
    wanted = attempt.arguments.get("cameras") or []
    assert isinstance(wanted, list)
    annotations = current_annotations(
        attempt.organization,
        camera_ids=[UUID(str(camera_id)) for camera_id in wanted],
        has_known_answers=bool(attempt.arguments.get("has_known_answers")),
    )
    n_total = annotations.count()
    for n_done, annotation in enumerate(annotations.iterator(chunk_size=200)):
        if n_done % STEP == 0:
            attempt.step(n_done, n_total)
        yield annotation
    attempt.step(n_total, n_total)


def _labelled(annotation: Annotation, folder: str) -> LabelledPicture:
    sample = annotation.sample
    return LabelledPicture(
        id=sample.id,
        file_name=f"{folder}/{sample.id}.jpg",
        width=sample.width,
        height=sample.height,
        captured_at=sample.captured_at,
        boxes=tuple(
            LabelledBox(
                tuple(box["xyxy"]),
                str(box["label"]),
                tuple((x, y) for x, y in box.get("polygon") or ()),
            )
            for box in annotation.boxes
        ),
        classes=tuple(annotation.classes),
    )


def _coco(attempt: Attempt, pictures: Sequence[LabelledPicture], labels: Sequence[str]) -> Blob:
    file = to_coco(
        pictures,
        labels=labels,
        description=f"Samples of {attempt.organization.name}, corrected by people",
        at=attempt.clock(),
    )
    return put_blob(
        encode_coco(file),
        content_type="application/json",
        organization=attempt.organization,
        at=attempt.clock(),
    )


def _zipped(
    attempt: Attempt,
    files: Iterator[tuple[str, bytes]],
    pictures: Sequence[LabelledPicture],
    annotations: Sequence[Annotation],
) -> Blob:
    """Return a zip of these files and the pictures they speak of."""
    with tempfile.TemporaryFile() as spool:
        with zipfile.ZipFile(spool, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                archive.writestr(name, content)
            for n_done, (picture, annotation) in enumerate(zip(pictures, annotations, strict=True)):
                if n_done % STEP == 0:
                    attempt.step()
                jpeg = read_blob(annotation.sample.picture)
                archive.writestr(picture.file_name, jpeg, zipfile.ZIP_STORED)
        spool.seek(0)
        return put_chunks(
            _chunks(spool),
            content_type="application/zip",
            organization=attempt.organization,
            at=attempt.clock(),
        )


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _import(attempt: Attempt, file: Blob) -> None:
    if not attempt.arguments["is_zip"]:
        name = PurePosixPath(str(attempt.arguments["name"])).name
        alone = ReadSet("picture", [], [ReadPicture(file_name=name)])
        _take(attempt, alone, lambda _: read_blob(file))
        return
    with default_storage.open(file.path, "rb") as stored, Archive(stored) as archive:
        found = read_archive(archive)
        for n_done, picture in enumerate(found.pictures):  # all of it, before anything is kept
            if n_done % STEP == 0:
                attempt.step(n_done, 2 * len(found.pictures))
            archive.read(picture.file_name, most=MAX_BYTES)
        _take(attempt, found, partial(archive.read, most=MAX_BYTES))


def _take(attempt: Attempt, found: ReadSet, content_of: Callable[[str], bytes]) -> None:
    """Make each picture that can be one a sample, and tell what came of all."""
    by = Job.objects.get(pk=attempt.job_id).created_by
    n_of: Counter[Outcome] = Counter()
    n_boxes, n_thin, notes = 0, 0, []
    n_total = len(found.pictures)
    number_labels(attempt.organization, used=found.labels)
    for n_done, picture in enumerate(found.pictures, 1):
        try:
            checked = _checked(attempt, picture, content_of(picture.file_name))
        except BadPicture as reason:
            notes.append(f"{picture.file_name}: {reason}")
            continue
        finally:
            if n_done % STEP == 0 or n_done == n_total:
                attempt.step(n_total + n_done, 2 * n_total)
        outcome = add_picture(checked, organization=attempt.organization, by=by, at=attempt.clock())
        n_of[outcome] += 1
        if outcome == "labelled":
            n_boxes += len(checked.boxes or ())
            n_thin += len(picture.boxes or ()) - len(checked.boxes or ())
    if len(notes) == n_total:
        raise BadSet(f"no picture in it can be read: {notes[0]}")
    with attempt.finishing() as result:
        result["format"] = found.format
        result["n_images"] = n_total - len(notes)
        result["n_labelled"], result["n_known"] = n_of["labelled"], n_of["known"]
        result["n_boxes"] = n_boxes
        result["n_left_out"] = len(notes)
        thin = [f"Boxes thinner than a pixel, or outside their picture: {n_thin}."]
        said = [*found.notes, *(thin if n_thin else ()), *notes]
        result["notes"], result["n_unsaid"] = said[:_MOST_NOTES], len(said[_MOST_NOTES:])


def _checked(attempt: Attempt, picture: ReadPicture, content: bytes) -> CheckedPicture:
    """Decode, clean and store a picture; raise `BadPicture`, also where its set lies about it."""
    jpeg, width, height = as_jpeg(content, max_pixels=MAX_PIXELS)
    if (picture.width or width, picture.height or height) != (width, height):
        said = f"{picture.width} x {picture.height}"
        raise BadPicture(f"a picture of {width} x {height} that the set says is {said}")
    cleaned = clean_picture(jpeg, width=width, height=height)
    look = look_of(decode_jpeg(cleaned.thumbnail))
    kept, thumbnail = (
        put_blob(
            data, content_type="image/jpeg", organization=attempt.organization, at=attempt.clock()
        )
        for data in (cleaned.jpeg, cleaned.thumbnail)
    )
    return CheckedPicture(
        file_name=PurePosixPath(picture.file_name).name[-MAX_NAME:],
        picture=kept,
        thumbnail=thumbnail,
        width=width,
        height=height,
        fingerprint=look.fingerprint,
        appearance=look.appearance,
        boxes=None
        if picture.boxes is None
        else [_as_kept(box) for box in picture.boxes if _can_be_seen(box, width, height)],
        classes=picture.classes,
    )


def _as_kept(box: LabelledBox) -> dict[str, object]:
    kept: dict[str, object] = {"xyxy": list(box.xyxy), "label": box.label}
    return {**kept, "polygon": [list(point) for point in box.polygon]} if box.polygon else kept


def _can_be_seen(box: LabelledBox, width: int, height: int) -> bool:
    """Return whether a box is at least a pixel wide and high: what is thinner nobody could edit."""
    x0, y0, x1, y1 = box.xyxy
    return min((x1 - x0) * width, (y1 - y0) * height) >= 1.0
