"""Both networks on annotated pictures, and what a second look costs."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from processing.evaluation.on_coco import read_frame
from processing.exchange.coco import CocoDataset, truth_by_image
from processing.inference.bundle import Bundle
from processing.inference.engine import Engine
from processing.inference.heads.decoder import Unfit
from processing.media.colour import frame_from_bgr
from processing.media.jpeg import decode_jpeg, encode_jpeg
from processing.pipeline.cascade import Doubt, doubtful_crops, settle
from processing.pipeline.tiling import Crop
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.vision.truth import Truth

QUALITY: Final = 80
"""Of the JPEGs that go to the cloud: an agent's default."""
_NO_INSTANT: Final = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture, its truth, and what the cheap network says of it."""

    frame: Frame
    truth: Truth
    found: Detections

    @property
    def whole(self) -> Crop:
        return Crop(0, 0, self.frame.width, self.frame.height)


@dataclass
class Spent:
    """What second looks took, over all pictures."""

    n_pictures: int = 0
    n_asked: int = 0
    """Pictures of which anything was sent."""
    n_looks: int = 0
    n_bytes: int = 0
    seconds: float = 0.0
    """Of a CPU: decoding the JPEG and the larger network."""


class Cloud:
    """The larger network, which sees JPEGs only. Remembers what it has seen, and what that took."""

    def __init__(self, bundle: Bundle, labels: Sequence[str]) -> None:
        """`labels` are the cheap network's; what this one calls otherwise is not in them."""
        self._engine = Engine.open(bundle, mode="latency", n_requests=1)
        numbers = {name: number for number, name in enumerate(labels)}
        self._numbers = np.array([numbers.get(name, -1) for name in bundle.manifest.labels])
        if (self._numbers < 0).all():
            raise Unfit("the two bundles have no label in common")
        self._seen: dict[tuple[int, Crop], tuple[Detections, int, float]] = {}

    def look(self, number: int, picture: Picture, crop: Crop, spent: Spent) -> Detections:
        """Return what it sees in a crop of picture `number`, in pixels of the crop."""
        key = (number, crop)
        if key not in self._seen:
            self._seen[key] = self._look(crop.cut(picture.frame))
        found, n_bytes, seconds = self._seen[key]
        spent.n_looks += 1
        spent.n_bytes += n_bytes
        spent.seconds += seconds
        return found

    def close(self) -> None:
        """Free everything."""
        self._engine.close()

    def _look(self, frame: Frame) -> tuple[Detections, int, float]:
        jpeg = encode_jpeg(frame, quality=QUALITY)
        begun = time.process_time()
        shown = frame_from_bgr(decode_jpeg(jpeg), captured_at=_NO_INSTANT)
        found = self._engine.detect(shown)
        seconds = time.process_time() - begun
        numbers = self._numbers[found.labels]
        # A JPEG's sides are even: its pixels may be a little smaller than the crop's.
        scale = np.array([frame.width / shown.width, frame.height / shown.height] * 2, np.float32)
        boxes = np.asarray(found.xyxy * scale, np.float32)
        known = Detections(boxes, found.scores, numbers.astype(np.int32))[numbers >= 0]
        return known, len(jpeg), seconds


def at_the_edge(
    bundle: Bundle, dataset: CocoDataset, images: Path, say: Callable[[int], None]
) -> list[Picture]:
    """Return every picture as the cheap network sees it."""
    engine = Engine.open(bundle)
    try:
        truths = truth_by_image(dataset, bundle.manifest.labels)
        pictures = []
        for image in dataset.images:
            frame = read_frame(images, image.file_name)
            pictures.append(Picture(frame, truths[image.id], engine.detect(frame)))
            say(len(pictures))
        return pictures
    finally:
        engine.close()


@dataclass(frozen=True)
class Way:
    """How the cloud is asked."""

    name: str
    look: Callable[[int, Picture, Doubt, Cloud, Spent], Detections]


def all_frames(number: int, picture: Picture, _: Doubt, cloud: Cloud, spent: Spent) -> Detections:
    """Ask about every picture, doubtful or not."""
    return cloud.look(number, picture, picture.whole, spent)


def frames(number: int, picture: Picture, doubt: Doubt, cloud: Cloud, spent: Spent) -> Detections:
    """Ask about the whole of a picture that has anything doubtful in it."""
    if not doubt.of(picture.found).any():
        return picture.found
    return cloud.look(number, picture, picture.whole, spent)


def crops(number: int, picture: Picture, doubt: Doubt, cloud: Cloud, spent: Spent) -> Detections:
    """Ask about what is doubtful, and what is around it."""
    width, height = picture.frame.width, picture.frame.height
    looks = [
        (crop, cloud.look(number, picture, crop, spent))
        for crop in doubtful_crops(picture.found, doubt, width=width, height=height)
    ]
    return settle(picture.found, doubt, looks, width=width, height=height)


WAYS: Final = (Way("frames", frames), Way("crops", crops))


@dataclass(frozen=True)
class Judged:
    """What both networks make of all pictures."""

    pairs: list[tuple[Truth, Detections]] = field(default_factory=list)
    spent: Spent = field(default_factory=Spent)


def judge(pictures: Sequence[Picture], way: Way, doubt: Doubt, cloud: Cloud) -> Judged:
    """Return what comes out, one way, at one threshold of doubt."""
    judged = Judged()
    for number, picture in enumerate(pictures):
        n_before = judged.spent.n_looks
        found = way.look(number, picture, doubt, cloud, judged.spent)
        judged.pairs.append((picture.truth, found))
        judged.spent.n_pictures += 1
        judged.spent.n_asked += judged.spent.n_looks > n_before
    return judged
