"""A disk of a few megabytes, and a neighbour that leaves nothing of it to anybody else."""

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pytest

_CHUNK: Final = bytes(4096)
_AGAIN_S: Final = 0.01


@contextlib.contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """Mount a new file system at a new folder; skip the test, loudly, where that is not allowed."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"a full disk needs a file system to fill: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], timeout=20, check=True)


class Neighbour:
    """Inside a `with` block has taken all room there is, and takes whatever becomes free."""

    def __init__(self, disk: Path) -> None:
        self._file = disk / "neighbour"
        self._stop = threading.Event()
        self._is_full = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="neighbour", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._is_full.wait(20), "the neighbour did not fill the disk"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._file.unlink()

    def _fill(self) -> None:
        with self._file.open("wb", buffering=0) as file:
            while not self._stop.is_set():
                try:
                    file.write(_CHUNK)
                except OSError:
                    self._is_full.set()
                    self._stop.wait(_AGAIN_S)
