"""The folder that a tier's bundles lie in: a folder each, whatever that is called."""

import hashlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from processing.inference.bundle import (
    MANIFEST,
    BadBundle,
    Bundle,
    BundleUnreadable,
    parse_manifest,
)
from processing.inference.manifest import MAX_MANIFEST_BYTES, Manifest

MAX_FOLDERS: Final = 1000
"""More are not looked at."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A bundle by what it says of itself: its files have not been verified."""

    path: Path
    digest: str
    """Hexadecimal."""
    manifest: Manifest

    @property
    def title(self) -> str:
        return f"{self.manifest.name} {self.manifest.version}"


def list_bundles(folder: Path) -> list[Listed]:
    """Return the bundles in a folder, by name; what is none, or is still being written, is not."""
    try:
        found = sorted(path for path in islice(folder.iterdir(), MAX_FOLDERS) if path.is_dir())
    except FileNotFoundError:
        return []
    listed: dict[str, Listed] = {}
    for path in found:
        try:
            with (path / MANIFEST).open("rb") as stream:
                content = stream.read(MAX_MANIFEST_BYTES + 1)
            manifest = parse_manifest(content)
        except (OSError, BadBundle):
            continue
        digest = hashlib.sha256(content).digest()[:16].hex()
        listed.setdefault(digest, Listed(path, digest, manifest))
    return list(listed.values())


def open_bundle(folder: Path, digest: str) -> Bundle:
    """Return the bundle of this digest, each file verified. Raise `BadBundle`."""
    for listed in list_bundles(folder):
        if listed.digest == digest:
            return Bundle.open(listed.path)
    raise BundleUnreadable(f"no bundle {digest} is in the tier's folder")
