"""How well a detector does on a folder of pictures with COCO annotations."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from processing.evaluation.accuracy import Accuracy, measure_accuracy
from processing.exchange.coco import CocoDataset, NotCoco, truth_by_image
from processing.inference.detector import Detector
from processing.media.colour import Bgr, frame_from_bgr
from processing.media.jpeg import MAX_BYTES, BadPicture, decode_jpeg
from processing.vision.frame import Frame

SCORE_FLOOR: Final = 0.01
"""What COCO's figures are commonly measured with; nothing that a camera would show."""
_NO_INSTANT: Final = datetime.fromtimestamp(0, UTC)


def measure_on_coco(
    detector: Detector,
    dataset: CocoDataset,
    *,
    labels: tuple[str, ...],
    images: Path,
    on_progress: Callable[[int], None] | None = None,
) -> Accuracy:
    """Return the accuracy; pictures take the way of a camera's: I420 planes, then the detector.

    `on_progress` is told how many pictures are done. Raise `NotCoco` for annotations or pictures
    that do not fit, `InferenceFailed` as it comes.
    """
    truths = truth_by_image(dataset, labels)
    pairs = []
    for n_done, image in enumerate(dataset.images, start=1):
        frame = read_frame(images, image.file_name)
        if (frame.width, frame.height) != (image.width, image.height):
            message = f"{image.file_name} is {frame.width} x {frame.height}, not as annotated"
            raise NotCoco(message)
        pairs.append((truths[image.id], detector.detect(frame)))
        if on_progress is not None:
            on_progress(n_done)
    return measure_accuracy(pairs)


def read_frame(folder: Path, name: str) -> Frame:
    """Return a picture of the folder as a camera would give it; raise `NotCoco`."""
    return frame_from_bgr(_read(folder, name), captured_at=_NO_INSTANT)


def _read(folder: Path, name: str) -> Bgr:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise NotCoco(f"{name} lies outside the folder of pictures")
    try:
        with path.open("rb") as stream:
            return decode_jpeg(stream.read(MAX_BYTES + 1))
    except OSError as error:
        raise NotCoco(f"{path} cannot be read: {error.strerror}") from error
    except BadPicture as error:
        raise NotCoco(f"{path}: {error}") from error
