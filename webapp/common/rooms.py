"""Folders for a while, in the data folder: for files on their way to somebody or somewhere.

A process that is killed leaves its own behind, so whoever makes one first sweeps away what has
been left for long.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings

from webapp.common.clock import now

LEFT_S: Final = 86_400.0
"""Where nothing was written for so long nobody is at work; a reader keeps the file that it has
open."""
_PREFIXES: Final = (".export-", ".archive-")


@contextmanager
def room(prefix: str) -> Iterator[Path]:
    """Make a folder, and delete it at the end of the block; `prefix` is one of those swept."""
    assert prefix in _PREFIXES
    sweep(before=now().timestamp() - LEFT_S)
    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR, prefix=prefix) as name:
        yield Path(name)


def sweep(*, before: float) -> None:
    """Delete rooms in which nothing was written since `before`, in seconds since 1970."""
    for prefix in _PREFIXES:
        for left in Path(settings.DATA_DIR).glob(f"{prefix}*"):
            if _written_at(left) < before:
                shutil.rmtree(left, ignore_errors=True)  # its user may be doing so just now


def _written_at(folder: Path) -> float:
    """Return when something in a folder was written last; now of one that has just gone."""
    try:
        return max(each.stat().st_mtime for each in (folder, *folder.rglob("*")))
    except FileNotFoundError:
        return now().timestamp()
