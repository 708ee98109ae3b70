"""The bundles in a folder: what there is, by their manifests, and one of them, verified."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from processing.inference.bundle import MANIFEST, BadBundle, Bundle, parse_manifest
from processing.inference.manifest import MAX_MANIFEST_BYTES

MAX_BUNDLES: Final = 64
"""Of one folder; further ones are not looked at."""


class NoSuchBundle(Exception):
    """The folder has no bundle of this digest."""


class FoundManifest(NamedTuple):
    """A bundle, by what it says of itself: its files are verified when it is opened."""

    path: Path
    digest: bytes
    """16 bytes, as `Bundle.digest`."""
    name: str
    version: str
    labels: tuple[str, ...]


def found_bundles(folder: Path) -> Iterator[FoundManifest]:
    """Yield the bundles in the folders of a folder, by their names; others are passed over."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir())[:MAX_BUNDLES]:
        try:
            with (path / MANIFEST).open("rb") as file:
                content = file.read(MAX_MANIFEST_BYTES + 1)
            manifest = parse_manifest(content)
        except (OSError, BadBundle):
            continue
        digest = hashlib.sha256(content).digest()[:16]
        yield FoundManifest(path, digest, manifest.name, manifest.version, manifest.labels)


def find_bundle(folder: Path, digest: bytes) -> Bundle:
    """Return the bundle of this digest, each file verified; raise `NoSuchBundle` or `BadBundle`."""
    for found in found_bundles(folder):
        if found.digest == digest:
            return Bundle.open(found.path)
    raise NoSuchBundle(digest.hex())
