"""Pieces show a real network small things that it misses in the whole picture.

The annotated pictures lie beside the checkout, and nowhere else: here 32 of them are looked at;
`make soak` looks at all 128.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deploy.default_bundle import default_bundle_path
from processing.evaluation.on_coco import read_frame
from processing.exchange.coco import read_coco, truth_by_image
from processing.inference.bundle import Bundle
from processing.inference.engine import Engine
from processing.pipeline.tiling import Crop, crops, merge
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.vision.geometry import iou_matrix
from processing.vision.truth import Truth
from processing.wire.camera import Region, Tiling

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
ALL, SOME = 128, 32
SMALL, LARGE = 32.0**2, 96.0**2
"""Square pixels: COCO's own idea of both."""
SHOWN = 0.4
"""A camera's default threshold."""

pytestmark = pytest.mark.skipif(
    not (DATA.is_dir() and default_bundle_path().is_dir()),
    reason="no annotated pictures in ../shared/data, or the default bundle is not built",
)


def in_pieces(engine: Engine, frame: Frame, tiling: Tiling) -> list[tuple[Crop, Detections]]:
    pieces = crops(frame.width, frame.height, Region(), tiling)
    return [(crop, engine.detect(crop.cut(frame))) for crop in pieces]


def n_found(truth: Truth, found: Detections, *, is_small: bool) -> int:
    """Return how many of the small, or of the large, things of the picture were found."""
    chosen = (truth.areas < SMALL) if is_small else (truth.areas >= LARGE)
    shown = found[found.scores >= SHOWN]
    overlap = iou_matrix(truth.xyxy[chosen], shown.xyxy)
    is_same = truth.labels[chosen][:, None] == shown.labels
    return int(((overlap >= 0.5) & is_same).any(axis=1).sum())


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with closing(Engine.open(Bundle.open(default_bundle_path()))) as engine:
        yield engine


def looked_at(engine: Engine) -> Iterator[tuple[Truth, Frame]]:
    dataset = read_coco((DATA / "annotations/instances_train2017_128.json").read_bytes())
    truths = truth_by_image(dataset, engine.bundle.manifest.labels)
    n = ALL if os.environ.get("FARWATCH_SOAK") else SOME
    for image in dataset.images[:n]:
        yield truths[image.id], read_frame(DATA / "images/train2017", image.file_name)


def test_small_things_are_found_twice_as_often_in_pieces(engine: Engine) -> None:
    """Large ones suffer, as no piece shows them whole; the look at all of it makes that good."""
    small: Counter[str] = Counter()
    large: Counter[str] = Counter()
    for truth, frame in looked_at(engine):
        whole = in_pieces(engine, frame, Tiling())
        both = in_pieces(engine, frame, Tiling(columns=2, rows=2, overlap=0.2))
        for way, parts in {"whole": whole, "pieces": both[:-1], "both": both}.items():
            small[way] += n_found(truth, merge(parts), is_small=True)
            large[way] += n_found(truth, merge(parts), is_small=False)
    assert small["pieces"] >= 2 * small["whole"]
    assert small["both"] >= 2 * small["whole"]
    assert large["both"] >= 0.95 * large["whole"]
