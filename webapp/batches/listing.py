"""The pictures that a batch is made of, listed once when it begins: of folders and of cameras.

Uploads are listed by the worker (`webapp.batches.tasks`), which can look into archives.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

from django.core.files.storage import default_storage
from django.db.models import QuerySet

from processing.wire.batch import MAX_PLACE, BatchItem
from webapp.accounts.models import Organization
from webapp.batches.models import Batch
from webapp.batches.places import MAX_PICTURE_BYTES
from webapp.datasets.models import Sample

PICTURES: Final = frozenset({".jpg", ".jpeg", ".png"})
MAX_FOLDER: Final = 200
MAX_CAMERAS: Final = 256
_MAX_DEPTH: Final = 8
_FOLDER: Final = re.compile(r"[\w][\w .-]*(/[\w][\w .-]*)*")
_SHOWN: Final = 200


def is_picture(name: str) -> bool:
    """Return whether a file's name says that it is a picture, and is not hidden."""
    path = PurePosixPath(name)
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in PICTURES and not is_hidden


def is_folder(name: str) -> bool:
    """Return whether a folder may be called so: no part of its name leads anywhere else."""
    return len(name) <= MAX_FOLDER and _FOLDER.fullmatch(name) is not None


def folder_path(organization_id: UUID, name: str = "") -> str:
    """Return where a folder of pictures lies in the store."""
    return f"{organization_id}/folders/{name}".rstrip("/")


def folders_of(organization: Organization) -> list[str]:
    """Return the names of the organization's folders, at the uppermost level."""
    try:
        folders, _ = default_storage.listdir(folder_path(organization.pk))
    except OSError:
        return []
    return sorted(name for name in folders if is_folder(name))[:_SHOWN]


def list_items(batch: Batch, notes: list[str]) -> Iterator[BatchItem]:
    """Yield the pictures of a folder, or of cameras, in an order that is always the same.

    What is left out is told in `notes`. Raise `OSError` for a folder that is not there.
    """
    if batch.source == Batch.Source.FOLDER:
        path = folder_path(batch.organization_id, str(batch.wanted["folder"]))
        return _in_folder(path, path, notes, depth=0)
    return _of_cameras(batch)


def samples_wanted(batch: Batch) -> QuerySet[Sample]:
    """Return the pictures of cameras that a batch speaks of."""
    samples = Sample.objects.filter(organization=batch.organization, state=Sample.State.READY)
    wanted = batch.wanted
    if cameras := wanted.get("cameras"):
        samples = samples.filter(camera__in=cameras)
    if since := wanted.get("from"):
        samples = samples.filter(captured_at__gte=datetime.fromisoformat(since))
    if until := wanted.get("to"):
        samples = samples.filter(captured_at__lt=datetime.fromisoformat(until))
    if wanted.get("is_labelled"):
        samples = samples.filter(annotations__is_current=True)
    return samples.order_by("captured_at", "pk")


def samples_at(batch: Batch, places: Iterable[str]) -> QuerySet[Sample]:
    """Return the samples whose pictures lie there, of those that the batch speaks of."""
    names = {PurePosixPath(place).name for place in places}
    return samples_wanted(batch).filter(picture__sha256__in=names)


def _of_cameras(batch: Batch) -> Iterator[BatchItem]:
    samples = samples_wanted(batch).select_related("camera", "picture")
    for sample in samples.iterator(chunk_size=500):
        name = f"{sample.taken_by}, {sample.captured_at:%Y-%m-%d %H:%M:%S.%f}"
        yield BatchItem(name, sample.picture.path, sample.picture.size)


def _in_folder(path: str, root: str, notes: list[str], *, depth: int) -> Iterator[BatchItem]:
    folders, files = default_storage.listdir(path)
    for name in sorted(filter(is_picture, files)):
        place = f"{path}/{name}"
        shown = place.removeprefix(f"{root}/")
        if not _is_text(place):
            notes.append(f"{_as_text(shown)[-_SHOWN:]}: its name cannot be written down")
        elif (size := default_storage.size(place)) > MAX_PICTURE_BYTES:
            notes.append(f"{shown}: {size} bytes, at most {MAX_PICTURE_BYTES} are opened")
        else:
            yield BatchItem(shown, place, size)
    for name in sorted(folders):
        if name.startswith("."):
            continue
        if depth < _MAX_DEPTH:
            yield from _in_folder(f"{path}/{name}", root, notes, depth=depth + 1)
        else:
            notes.append(f"{_as_text(name)}: a folder more than {_MAX_DEPTH} deep")


def _is_text(place: str) -> bool:
    """Return whether a name can be written down: in another encoding it is bytes in disguise."""
    return len(place) <= MAX_PLACE and place == _as_text(place)


def _as_text(name: str) -> str:
    return name.encode(errors="replace").decode()
