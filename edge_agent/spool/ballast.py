"""A file whose only purpose is to be deleted: a full disk blocks even what would free it."""

import os
import shutil
from pathlib import Path
from typing import Final

_SIZE: Final = 4 * 1024 * 1024
_COMFORT: Final = 4 * _SIZE
"""Free space that must be there before the ballast is put back."""


class Ballast:
    """Holds some of the disk back."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def restore(self) -> None:
        """Take the space if there is plenty; do nothing if not, or if it is taken already."""
        try:
            if self._path.exists() or free_bytes(self._path.parent) < _COMFORT:
                return
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, _SIZE)
        except OSError:
            self.release()

    def release(self) -> None:
        """Give the space back."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            return  # a disk that fails altogether; the outbox says so


def free_bytes(folder: Path) -> int:
    """Return how much this user may still write there."""
    return shutil.disk_usage(folder).free
