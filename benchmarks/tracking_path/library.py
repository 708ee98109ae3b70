"""A maintained tracker library, in a Python of its own, on the very same detections."""

import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.tracking_path.clips import Clip, Followed
from deploy.cache import cache_dir
from processing.evaluation.tracking import Sighting

SETTINGS: Final = ("as_it_comes", "as_ours")
"""With its own thresholds, and with ours; it is compared by the better of the two."""
_VERSION: Final = "trackers-2.6.1"
_ALONE: Final = ("trackers==2.6.1", "supervision==0.31.2")
"""Without what they ask for: OpenCV with windows, and notebooks."""
_NEEDED: Final = (
    "numpy<3", "scipy", "opencv-python-headless<5", "pydeprecate>=0.9,<0.14", "requests", "rich",
    "matplotlib", "pillow", "pyyaml", "tqdm", "defusedxml",
)  # fmt: skip
_PATIENCE_S: Final = 600.0


class NoLibrary(RuntimeError):
    """It cannot be had here; the text says why."""


class Library:
    """The library, installed. Raises `NoLibrary` wherever it turns out not to work."""

    def __init__(self, home: Path | None = None) -> None:
        home = home or cache_dir() / "benchmarks"
        self._python = _ensure(home / f"{_VERSION}-py{sys.version_info[0]}{sys.version_info[1]}")

    def follow(self, clips: Sequence[Clip], settings: str) -> list[Followed]:
        """Return what it made of each clip, tracked one after the other in a fresh process."""
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "clips.npz"), Path(folder, "tracks.npz")
            _write(source, clips)
            program = Path(__file__).with_name("library_tracker.py")
            _run([str(self._python), str(program), str(source), str(target), settings])
            with np.load(target, allow_pickle=False) as told:
                return [_followed(dict(told), n, clip) for n, clip in enumerate(clips)]


def _ensure(folder: Path) -> Path:
    """Return the Python that has the library, made the first time."""
    python = folder / "bin" / "python"
    is_ready = folder / "ready"
    if not is_ready.exists():
        try:
            venv.create(folder, with_pip=True, clear=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoLibrary(f"no environment for it in {folder}: {error}") from error
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, *_NEEDED])
        _run([*pip, "--no-deps", *_ALONE])
        is_ready.touch()
    return python


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoLibrary(str(error)) from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it does not say why"]
        raise NoLibrary(said[-1])


def _write(path: Path, clips: Sequence[Clip]) -> None:
    arrays: dict[str, NDArray[np.generic]] = {"n": np.array(len(clips))}
    for n, clip in enumerate(clips):
        found = [shot.found for shot in clip.shots]
        arrays[f"{n}_fps"] = np.array(clip.fps)
        arrays[f"{n}_n_frames"] = np.array(len(found))
        arrays[f"{n}_boxes"] = np.concatenate([each.xyxy for each in found])
        arrays[f"{n}_scores"] = np.concatenate([each.scores for each in found])
        arrays[f"{n}_frames"] = np.repeat(np.arange(len(found)), [len(each) for each in found])
    np.savez(path, allow_pickle=False, **arrays)


def _followed(told: dict[str, NDArray[np.generic]], n: int, clip: Clip) -> Followed:
    frames = told[f"{n}_frames"]
    return Followed(
        found=[
            Sighting(
                told[f"{n}_boxes"][frames == frame].astype(np.float32),
                told[f"{n}_numbers"][frames == frame].astype(np.int64),
            )
            for frame in range(len(clip.shots))
        ],
        ms=told[f"{n}_ms"].astype(np.float64),
    )
