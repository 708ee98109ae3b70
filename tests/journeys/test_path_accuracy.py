"""A camera's way costs no accuracy: H.264, the agent's decoder, its planes, colour in the graph.

The annotated pictures lie beside the checkout, and nowhere else: here the first 32 are looked at,
each encoded twice; `make soak` looks at all 128, encoded six times.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import msgspec
import numpy as np
import pytest
from av.video.frame import VideoFrame

from benchmarks.accuracy_path.through_video import (
    QUANTIZERS,
    as_filmed,
    measure_through_video,
    read_video,
    write_video,
)
from deploy.default_bundle import default_bundle_path
from processing.evaluation.on_coco import SCORE_FLOOR, measure_on_coco, read_frame
from processing.exchange.coco import CocoDataset, read_coco
from processing.inference.bundle import Bundle
from processing.inference.engine import Engine, best_artifact
from processing.media.jpeg import decode_jpeg

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
IMAGES = DATA / "images" / "train2017"
AT_MOST_APART = 0.003
"""Three tenths of a point of mAP, of all pictures."""
ROUGHLY = 0.02
"""Of 32 pictures: one box that tips over weighs four times as much, and more."""

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="no annotated COCO pictures in ../shared/data"
)


@dataclass(frozen=True, slots=True)
class Both:
    """mAP of the same pictures, by the two ways."""

    own: float
    by_video: float
    """The mean over several encodings: a single one is a draw."""


def annotated(n_images: int) -> CocoDataset:
    dataset = read_coco((DATA / "annotations/instances_train2017_128.json").read_bytes())
    images = dataset.images[:n_images]
    shown = {image.id for image in images}
    annotations = [each for each in dataset.annotations if each.image_id in shown]
    return msgspec.structs.replace(dataset, images=images, annotations=annotations)


def measure_both(n_images: int, quantizers: tuple[int, ...]) -> Both:
    bundle = Bundle.open(default_bundle_path())
    labels, dataset = bundle.manifest.labels, annotated(n_images)
    measured = bundle.measured_with(best_artifact(bundle.manifest), score_floor=SCORE_FLOOR)
    with closing(Engine.open(measured)) as engine:
        own = measure_on_coco(engine, dataset, labels=labels, images=IMAGES)
        by_video = [
            measure_through_video(
                engine, dataset, labels=labels, images=IMAGES, quantizer=quantizer
            )
            for quantizer in quantizers
        ]
    assert {each.n_images for each in (own, *by_video)} == {n_images}
    return Both(own.map_50_95, mean(each.map_50_95 for each in by_video))


def test_all_pictures_are_judged_as_well_by_way_of_a_video(soaked: Callable[[int], int]) -> None:
    is_whole = soaked(128) == 128
    both = measure_both(128, QUANTIZERS) if is_whole else measure_both(32, QUANTIZERS[:2])
    assert both.own > 0.3  # or nothing would be compared
    assert abs(both.by_video - both.own) <= (AT_MOST_APART if is_whole else ROUGHLY)


def test_decoder_and_planes_change_not_a_pixel(tmp_path: Path) -> None:
    for image in annotated(6).images:
        own = read_frame(IMAGES, image.file_name)
        even = own.y[: own.height // 2 * 2, : own.width // 2 * 2]
        u, v = (plane[: even.shape[0] // 2, : even.shape[1] // 2] for plane in (own.u, own.v))
        packed = np.concatenate([plane.ravel() for plane in (even, u, v)])
        picture = VideoFrame.from_ndarray(packed.reshape(-1, even.shape[1]), format="yuv420p")
        write_video(picture, tmp_path / "picture.mp4", quantizer=0)
        seen = read_video(tmp_path / "picture.mp4")
        for mine, other in ((even, seen.y), (u, seen.u), (v, seen.v)):
            assert np.array_equal(mine, other)


@pytest.mark.parametrize("is_odd", [False, True])
def test_what_a_camera_films_is_what_a_picture_holds(tmp_path: Path, *, is_odd: bool) -> None:
    [image, *_] = [
        each for each in annotated(128).images if bool(each.width % 2 or each.height % 2) == is_odd
    ]
    own = read_frame(IMAGES, image.file_name)
    bgr = decode_jpeg((IMAGES / image.file_name).read_bytes())
    write_video(as_filmed(bgr), tmp_path / "picture.mp4", quantizer=QUANTIZERS[0])
    seen = read_video(tmp_path / "picture.mp4")
    assert seen.width == own.width + own.width % 2
    assert seen.height == own.height + own.height % 2
    assert np.abs(own.y.astype(np.int16) - seen.y[: own.height, : own.width]).mean() < 1.0
    # One converter takes the colour of one pixel in four, the other of all four.
    for mine, other in ((own.u, seen.u), (own.v, seen.v)):
        assert abs(mine.mean() - other.mean()) < 1.0
