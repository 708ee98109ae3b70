"""Pictures to judge: somebody's folder of JPEGs, or frames of the sample video."""

from itertools import cycle, islice
from pathlib import Path
from typing import Final

import cv2

from benchmarks.harness.benchmark import CannotMeasure
from deploy.sample_video import sample_video_path

_FRAMES: Final = 100


def take_pictures(images: Path | None, inbox: Path, *, n: int) -> int:
    """Put `n` pictures into a folder, the same ones again where there are fewer; return `n`."""
    contents = _of_folder(images) if images is not None else _of_video()
    if not contents:
        raise CannotMeasure("there are no pictures to judge")
    for number, content in enumerate(islice(cycle(contents), n)):
        (inbox / f"{number:06}.jpg").write_bytes(content)
    return n


def _of_folder(images: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(images.glob("*.jpg"))[:1000]]


def _of_video() -> list[bytes]:
    video = cv2.VideoCapture(str(sample_video_path()))
    contents: list[bytes] = []
    while len(contents) < _FRAMES:
        is_read, frame = video.read()
        if not is_read:
            break
        contents.append(cv2.imencode(".jpg", frame)[1].tobytes())
    video.release()
    return contents
