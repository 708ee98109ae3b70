"""The file of a backup: a tar whose last member, the manifest, has the digest of every other."""

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Final, Protocol

import msgspec

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
MAX_MANIFEST: Final = 512 * 1024 * 1024
_CHUNK: Final = 1024 * 1024

Tell = Callable[[int], None]
"""Takes how many bytes more are done."""


class Readable(Protocol):
    """What bytes come from."""

    def read(self, size: int = -1, /) -> bytes: ...


class BadBackup(Exception):
    """This file is no backup, or not whole, or not for this hub; the text says why."""


class Part(msgspec.Struct, frozen=True):
    """A member of the archive."""

    name: str
    size: int
    sha256: str


class Table(msgspec.Struct, frozen=True):
    """A table of the database, in its part; on SQLite all are in one."""

    name: str
    n_rows: int
    columns: tuple[str, ...] = ()


class Partition(msgspec.Struct, frozen=True):
    """A piece of a PostgreSQL table, and which rows are in it."""

    name: str
    of: str
    bound: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds, and what made it."""

    format: int = FORMAT
    made_at: datetime
    version: str
    """Of Farwatch."""
    engine: str
    """`sqlite` or `postgresql`."""
    engine_version: str
    migrations: tuple[tuple[str, str], ...]
    """Applied: app and name."""
    tables: tuple[Table, ...]
    partitions: tuple[Partition, ...] = ()
    parts: tuple[Part, ...] = ()


class Writer:
    """Writes parts one after the other, then the manifest."""

    def __init__(self, file: IO[bytes], *, made_at: datetime) -> None:
        self._tar = tarfile.TarFile(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)
        self._mtime = int(made_at.timestamp())
        self.parts: list[Part] = []

    def add(self, name: str, content: Readable, size: int, tell: Tell) -> None:
        """Append a part; raise `OSError` when `content` has fewer bytes than `size`."""
        read = PartReader(content, tell)
        self._append(name, read, size)
        self.parts.append(Part(name, size, read.digest.hexdigest()))

    def finish(self, manifest: Manifest) -> None:
        """Append the manifest, which says that the archive is whole."""
        body = msgspec.json.encode(msgspec.structs.replace(manifest, parts=tuple(self.parts)))
        self._append(MANIFEST, io.BytesIO(body), len(body))
        self._tar.close()

    def _append(self, name: str, content: Readable, size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, self._mtime, 0o600
        self._tar.addfile(info, content)


def read_manifest(path: Path) -> Manifest:
    """Return what a backup says of itself; raise `BadBackup`."""
    with _opened(path) as tar:
        try:
            member = tar.getmember(MANIFEST)
        except KeyError as error:
            raise BadBackup("it has no manifest: it was not finished, or is no backup") from error
        if member.size > MAX_MANIFEST:
            raise BadBackup("its manifest is too large")
        body = _body(tar, member).read()
    try:
        manifest = msgspec.json.decode(body, type=Manifest)
    except msgspec.DecodeError as error:
        raise BadBackup(f"its manifest cannot be read: {error}") from error
    if manifest.format != FORMAT:
        raise BadBackup(f"it has format {manifest.format}, this version reads {FORMAT}")
    return manifest


def verify(path: Path, manifest: Manifest, tell: Tell) -> None:
    """Read all of it and compare every part with its digest; raise `BadBackup`."""
    expected = {part.name: part for part in manifest.parts}
    for name, content in read_parts(path, tell):
        while content.read(_CHUNK):
            pass
        part = expected.pop(name, None)
        if part is None:
            raise BadBackup(f"{name} is not in its manifest")
        if content.digest.hexdigest() != part.sha256:
            raise BadBackup(f"{name} is damaged: its digest is not the manifest's")
    if expected:
        raise BadBackup(f"{min(expected)} is missing")


def read_parts(path: Path, tell: Tell) -> "Iterator[tuple[str, PartReader]]":
    """Yield every part but the manifest; each is to be read before the next. Raise `BadBackup`."""
    with _opened(path) as tar:
        for member in tar:
            if member.name == MANIFEST:
                continue
            if not member.isfile() or not _is_plain(member.name):
                raise BadBackup(f"{member.name!r} has no place in a backup")
            yield member.name, PartReader(_body(tar, member), tell)


class PartReader(io.RawIOBase):
    """Reads a part from its beginning to its end, and keeps the digest of what went by."""

    def __init__(self, content: Readable, tell: Tell) -> None:
        super().__init__()
        self._content = content
        self._tell = tell
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._content.read(size)
        self.digest.update(chunk)
        self._tell(len(chunk))
        return chunk


def _is_plain(name: str) -> bool:
    """Return whether a name stays in its folder."""
    return not name.startswith("/") and ".." not in name.split("/") and "\\" not in name


def _body(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    if content is None:
        raise BadBackup(f"{member.name} is no file")
    return content


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, mode="r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError) as error:
        raise BadBackup(f"it cannot be read as a tar file: {error}") from error


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file, for its owner's eyes, that is at `path` only if the block succeeds."""
    aside = path.with_name(f".{path.name}.part")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
