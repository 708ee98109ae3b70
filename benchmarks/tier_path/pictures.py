"""The pictures that servers are asked about: a folder's, or those of the sample video."""

from itertools import islice
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np

from benchmarks.harness.benchmark import CannotMeasure
from deploy.sample_video import sample_video_path

N_PICTURES: Final = 24
_STEP: Final = 10
_SIZE: Final = (1280, 720)
_QUALITY: Final = 80


def take_pictures(folder: Path | None, scratch: Path) -> int:
    """Write JPEGs into `scratch`; return their mean size, bytes. Raise `CannotMeasure`."""
    if folder is None:
        pictures = _of_video(sample_video_path())
    else:
        chosen = islice(sorted(folder.glob("*.jpg")), N_PICTURES)
        pictures = [path.read_bytes() for path in chosen]
    if not pictures:
        raise CannotMeasure(f"no JPEGs in {folder}")
    for number, picture in enumerate(pictures):
        (scratch / f"{number:03}.jpg").write_bytes(picture)
    return round(sum(map(len, pictures)) / len(pictures))


def _of_video(video: Path) -> list[bytes]:
    """Return frames as 720p, which is what cameras commonly have. Raise `CannotMeasure`."""
    if not video.is_file():
        raise CannotMeasure("give a folder of JPEGs with --images, or run `make setup`")
    found = []
    with av.open(str(video)) as container:
        for shown in islice(container.decode(video=0), 0, N_PICTURES * _STEP, _STEP):
            bgr = np.asarray(shown.to_ndarray(format="bgr24"), np.uint8)
            larger = cv2.resize(bgr, _SIZE, interpolation=cv2.INTER_CUBIC)
            found.append(cv2.imencode(".jpg", larger, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1])
    return [jpeg.tobytes() for jpeg in found]
