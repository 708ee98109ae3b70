"""A bundle on disk: a folder with a manifest, the files it names, and nothing else.

`Bundle.open` reads every byte once and compares hashes, so that whatever is run later is what was
made. A detached signature of the manifest's bytes may lie beside it as `manifest.sig`.
"""

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from processing.inference.manifest import FORMAT, MAX_MANIFEST_BYTES, Artifact, File, Manifest

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
_MAX_SIGNATURE_BYTES: Final = 4096


class BadBundle(Exception):
    """This bundle cannot be used; the text says why, in words for a person."""


class BundleUnreadable(BadBundle):
    """There is no bundle here, or not in a form that this version understands."""


class BundleCorrupt(BadBundle):
    """The bundle's files are not those that its manifest names: fetch or build it again."""


class BundleUnfit(BadBundle):
    """The files are whole, but the runtime cannot run them as the manifest says."""


class _Format(msgspec.Struct):
    format: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle."""

    path: Path
    manifest: Manifest
    digest: bytes
    """16 bytes: the start of the sha256 of the manifest, which names the hash of all the rest."""
    signature: bytes | None
    """Detached, over the manifest's bytes; nobody has checked it yet."""

    @classmethod
    def open(cls, path: Path) -> "Bundle":
        """Return the bundle in folder `path`, each file verified.

        Raise `BundleUnreadable` or `BundleCorrupt`.
        """
        content = _read_manifest(path)
        manifest = parse_manifest(content)
        _refuse_strangers(path, manifest)
        for file in manifest.files:
            _verify(path, file)
        return cls(
            path=path,
            manifest=manifest,
            digest=hashlib.sha256(content).digest()[:16],
            signature=_read_signature(path),
        )

    def measured_with(self, artifact: Artifact, *, score_floor: float) -> "Bundle":
        """Return the bundle as it is with one artifact and another floor, to measure either."""
        thresholds = replace(self.manifest.thresholds, score_floor=score_floor)
        manifest = replace(self.manifest, artifacts=(artifact,), thresholds=thresholds)
        return Bundle(self.path, manifest, self.digest, self.signature)

    def locate(self, file: File) -> Path:
        """Return where a file that the manifest names lies."""
        return self.path / file.path


def parse_manifest(content: bytes) -> Manifest:
    """Return the manifest; raise `BundleUnreadable` that names the field at fault."""
    if len(content) > MAX_MANIFEST_BYTES:
        raise BundleUnreadable(f"the manifest is larger than {MAX_MANIFEST_BYTES} bytes")
    try:
        written = msgspec.json.decode(content, type=_Format).format
        if written != FORMAT:
            message = f"the manifest has format {written}; this version reads format {FORMAT}"
            raise BundleUnreadable(message)
        return msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BundleUnreadable(f"the manifest is not one: {error}") from error


def _read_manifest(path: Path) -> bytes:
    if not path.is_dir():
        raise BundleUnreadable(f"no bundle at {path}: it is not a folder")
    try:
        return _read_regular(path / MANIFEST, at_most=MAX_MANIFEST_BYTES)
    except FileNotFoundError as error:
        raise BundleUnreadable(f"no bundle at {path}: it has no {MANIFEST}") from error
    except OSError as error:
        raise BundleUnreadable(f"{path / MANIFEST} cannot be read: {error.strerror}") from error


def _read_signature(path: Path) -> bytes | None:
    try:
        return _read_regular(path / SIGNATURE, at_most=_MAX_SIGNATURE_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BundleUnreadable(f"{path / SIGNATURE} cannot be read: {error.strerror}") from error


def _refuse_strangers(path: Path, manifest: Manifest) -> None:
    """Raise if the folder holds links, or files that the manifest does not name.

    A runtime may open a file because another one refers to it; all that it can find is verified.
    """
    named = {MANIFEST, SIGNATURE, *(file.path for file in manifest.files)}
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            found = Path(folder, name)
            relative = found.relative_to(path).as_posix()
            if found.is_symlink():
                raise BundleCorrupt(f"{relative} is a link; a bundle holds only files")
            if name in files and relative not in named:
                raise BundleCorrupt(
                    f"the folder holds {relative}, which the manifest does not name"
                )


def _verify(path: Path, file: File) -> None:
    try:
        with _open_regular(path / file.path) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size != file.size:
                raise BundleCorrupt(f"{file.path} has {size} bytes instead of {file.size}")
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise BundleCorrupt(f"{file.path} is missing") from error
    except OSError as error:
        raise BundleCorrupt(f"{file.path} cannot be read: {error.strerror}") from error
    if digest != file.sha256:
        raise BundleCorrupt(f"{file.path} is damaged: its sha256 is not the manifest's")


def _read_regular(path: Path, *, at_most: int) -> bytes:
    """Return the content, or its first `at_most` + 1 bytes when there are more."""
    with _open_regular(path) as stream:
        return stream.read(at_most + 1)


def _open_regular(path: Path) -> BufferedReader:
    """Open a file for reading; refuse links, and pipes or devices, which could stall."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file")
    return os.fdopen(descriptor, "rb")
