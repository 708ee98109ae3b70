"""A bundle's folder: written whole or not at all, its files described as they are."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from deploy.files import sha256_of
from processing.inference.bundle import MANIFEST
from processing.inference.manifest import Artifact, File, Manifest, Precision, Runtime


def artifact_of(folder: Path, runtime: Runtime, precision: Precision, *names: str) -> Artifact:
    """Return the artifact that these files of the folder are; the first is the one to open."""
    files = tuple(file_of(folder, name) for name in names)
    return Artifact(runtime=runtime, precision=precision, files=files)


def file_of(folder: Path, name: str) -> File:
    """Return what a manifest says of a file of the folder."""
    path = folder / name
    return File(path=name, size=path.stat().st_size, sha256=sha256_of(path))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest in its place."""
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(content)


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder to write to; once written without error it stands at `out`, in one step."""
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        yield folder
        folder.chmod(0o755)
        if out.exists():
            old = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.old."))
            os.replace(out, old / "bundle")  # noqa: PTH105  # a folder
            folder.rename(out)
            shutil.rmtree(old)
        else:
            folder.rename(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
