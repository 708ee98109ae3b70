"""What a hub keeps beside its database: pictures and clips, old days, its key."""

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from django.core.files.base import File
from django.core.files.storage import Storage

from webapp.common.backup.archive import PartReader, Tell, Writer

MEDIA: Final = "media/"
ARCHIVE: Final = "archive/"
KEY: Final = "keys/secret_key"


@dataclass(frozen=True)
class Files:
    """Where they are."""

    storage: Storage
    data_dir: Path
    secret_key: str

    def n_bytes(self) -> int:
        """Return about how much there is."""
        media = sum(_size(self.storage, name) for name in _names(self.storage))
        return media + sum(path.stat().st_size for path in self._archived())

    def save(self, writer: Writer, tell: Tell) -> int:
        """Add all files to a backup; return how many. What is deleted meanwhile is not missed."""
        key = self.secret_key.encode()
        writer.add(KEY, io.BytesIO(key), len(key), tell)
        n_files = 0
        for name in _names(self.storage):
            try:
                file = self.storage.open(name)
            except FileNotFoundError:
                continue
            with file:
                writer.add(MEDIA + name, file, file.size, tell)
            n_files += 1
        for path in self._archived():
            with path.open("rb") as old_day:
                name = path.relative_to(self.data_dir).as_posix()
                writer.add(name, old_day, os.fstat(old_day.fileno()).st_size, tell)
            n_files += 1
        return n_files

    def is_empty(self) -> bool:
        """Return whether there are no pictures, clips or old days."""
        return next(_names(self.storage), None) is None and next(self._archived(), None) is None

    def clear(self) -> None:
        """Delete them all."""
        for name in list(_names(self.storage)):
            self.storage.delete(name)
        for path in list(self._archived()):
            path.unlink()

    def load(self, name: str, content: PartReader) -> bool:
        """Put one part back where it belongs; return whether it is one of ours."""
        if name.startswith(MEDIA):
            self.storage.save(name.removeprefix(MEDIA), File(cast("IO[bytes]", content)))
        elif name.startswith(ARCHIVE):
            _write(self.data_dir / name, content)
        elif name == KEY:
            _write(self.data_dir / "secret_key", content)
        else:
            return False
        return True

    def _archived(self) -> Iterator[Path]:
        for path in sorted((self.data_dir / ARCHIVE).rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                yield path


def _names(storage: Storage, folder: str = "") -> Iterator[str]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(files):
        if not name.startswith("."):  # half written
            yield f"{folder}{name}"
    for name in sorted(folders):
        yield from _names(storage, f"{folder}{name}/")


def _size(storage: Storage, name: str) -> int:
    try:
        return storage.size(name)
    except FileNotFoundError:
        return 0


def _write(path: Path, content: PartReader) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while chunk := content.read(1024 * 1024):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
