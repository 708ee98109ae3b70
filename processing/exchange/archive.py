"""A zip from somebody, read where it lies: bounded, and no name in it ever becomes a path.

Nothing is unpacked to disk, so nothing can be left there. What an archive says of itself is judged
before its first byte is read, and what comes out is counted while it does.
"""

import stat
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Final, Self

MAX_ENTRIES: Final = 50_000
MAX_TOTAL: Final = 5 * 1024**3
MAX_RATIO: Final = 100
_SMALL: Final = 64 * 1024
"""Of an entry; below it a high ratio does no harm (an empty mask, say)."""
_MAX_NAME: Final = 250
_MAX_DIRECTORY: Final = 16 * 1024**2
"""Bytes of the list of entries."""
_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_MAX_COMMENT: Final = 65_535
_LOCATOR: Final = b"PK\x06\x07"
_LOCATOR_BYTES: Final = 20
_CHUNK: Final = 256 * 1024
_ARCHIVES: Final = frozenset(
    {".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".jar", ".iso"}
)
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


class BadArchive(ValueError):
    """This is no archive that we open; the text says why, and which entry is at fault."""


class Archive:
    """An open zip of files that may be read; a context manager."""

    def __init__(self, file: IO[bytes]) -> None:
        """Judge the archive by what it says of itself; raise `BadArchive`."""
        _judge_end(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise BadArchive(f"not a zip archive: {error}") from error
        self._entries = _judged(self._zip.infolist())
        self._left = MAX_TOTAL

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    @property
    def files(self) -> Mapping[str, int]:
        """The names of the files, and how large each says it is."""
        return {name: entry.file_size for name, entry in self._entries.items()}

    def entry(self, name: str) -> zipfile.ZipInfo:
        """Return where a file lies in the archive, and how it is packed."""
        return self._entries[name]

    def reader(self, name: str, *, most: int) -> Callable[[], bytes]:
        """Return what reads a file; see `read`."""
        return lambda: self.read(name, most=most)

    def read(self, name: str, *, most: int) -> bytes:
        """Return a file's bytes; raise `BadArchive` when they are more, or other, than said."""
        entry = self._entries[name]
        if entry.file_size > most:
            raise BadArchive(f"{name} has {entry.file_size} bytes; at most {most} are read")
        parts, n_bytes = [], 0
        try:
            with self._zip.open(entry) as file:
                while part := file.read(_CHUNK):
                    n_bytes += len(part)
                    self._left -= len(part)
                    if n_bytes > entry.file_size or self._left < 0:
                        raise BadArchive(f"{name} is larger than the archive says")
                    parts.append(part)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise BadArchive(f"{name} is damaged: {error}") from error
        return b"".join(parts)


def open_archive(path: Path) -> Archive:
    """Return the archive in a file; raise `BadArchive`."""
    return Archive(path.open("rb"))


def _judge_end(file: IO[bytes]) -> None:
    """Refuse a list of entries that is too long before anything reads it."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_BYTES - _MAX_COMMENT))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise BadArchive("not a zip archive: it has no end")
    n_entries = int.from_bytes(tail[at + 10 : at + 12], "little")
    n_bytes = int.from_bytes(tail[at + 12 : at + 16], "little")
    if n_entries > MAX_ENTRIES or n_bytes > _MAX_DIRECTORY:
        raise BadArchive(f"more than {MAX_ENTRIES} entries")
    # A ZIP64 end would be believed instead of this one; none is needed for what we take.
    end = size - len(tail) + at
    file.seek(max(0, end - _LOCATOR_BYTES))
    if file.read(len(_LOCATOR)) == _LOCATOR:
        raise BadArchive("a ZIP64 archive is not read")
    file.seek(0)


def _judged(infos: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    if len(infos) > MAX_ENTRIES:
        raise BadArchive(f"more than {MAX_ENTRIES} entries")
    entries: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for info in infos:
        _judge_name(info)
        if info.filename.casefold() in seen:
            raise BadArchive(f"{_shown(info)} is in it twice")
        seen.add(info.filename.casefold())
        if not info.is_dir():
            _judge_entry(info)
            entries[info.filename] = info
    if sum(info.file_size for info in entries.values()) > MAX_TOTAL:
        raise BadArchive(f"more than {MAX_TOTAL // 1024**3} GiB once unpacked")
    _judge_overlap(infos)
    return entries


def _judge_name(info: zipfile.ZipInfo) -> None:
    name = info.orig_filename
    if len(name) > _MAX_NAME or not name.isprintable() or name != info.filename:
        raise BadArchive(f"{_shown(info)} has a name that no file should have")
    if name.startswith("/") or "\\" in name or ":" in name:
        raise BadArchive(f"{_shown(info)} names a place outside the archive, or a stream")
    if any(part in {".", ".."} for part in PurePosixPath(name).parts):
        raise BadArchive(f"{_shown(info)} leads out of the archive")


def _judge_entry(info: zipfile.ZipInfo) -> None:
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        raise BadArchive(f"{_shown(info)} is a link or a device, not a file")
    if info.flag_bits & 0x1:
        raise BadArchive(f"{_shown(info)} is encrypted")
    if info.compress_type not in _METHODS:
        raise BadArchive(f"{_shown(info)} is compressed in a way that is not read")
    if info.file_size > max(_SMALL, MAX_RATIO * info.compress_size):
        raise BadArchive(f"{_shown(info)} would grow more than {MAX_RATIO} times")
    if PurePosixPath(info.filename).suffix.lower() in _ARCHIVES:
        raise BadArchive(f"{_shown(info)} is an archive within the archive")


def _judge_overlap(infos: list[zipfile.ZipInfo]) -> None:
    """Refuse entries that share bytes: a small archive that unpacks to a huge one."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise BadArchive(f"{_shown(info)} shares its bytes with another entry")
        end = info.header_offset + len(info.filename) + info.compress_size


def _shown(info: zipfile.ZipInfo) -> str:
    return repr(info.orig_filename[:80])
