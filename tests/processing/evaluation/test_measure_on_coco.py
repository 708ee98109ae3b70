"""Pictures and annotations in, accuracy out; what does not fit is named."""

from pathlib import Path

import numpy as np
import pytest

from processing.evaluation.on_coco import measure_on_coco
from processing.exchange.coco import CocoAnnotation, CocoCategory, CocoDataset, CocoImage, NotCoco
from processing.inference.fake import FakeEngine
from processing.media.colour import frame_from_bgr
from processing.media.jpeg import encode_jpeg
from processing.vision.detections import Detections
from tests.processing.tiny_bundle import AT, picture

FOUND = Detections(
    np.array([[10, 10, 40, 40]], np.float32), np.array([0.9], np.float32), np.array([0], np.int32)
)


def a_dataset(file_name: str = "a.jpg", *, width: int = 64) -> CocoDataset:
    return CocoDataset(
        images=[CocoImage(id=1, file_name=file_name, width=width, height=64)],
        categories=[CocoCategory(id=1, name="person")],
        annotations=[CocoAnnotation(image_id=1, category_id=1, bbox=(10, 10, 30, 30))],
    )


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    jpeg = encode_jpeg(frame_from_bgr(picture(), captured_at=AT))
    (folder / "a.jpg").write_bytes(jpeg)
    (tmp_path / "secret.jpg").write_bytes(jpeg)
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


def test_it_works(images: Path) -> None:
    told: list[int] = []
    accuracy = measure_on_coco(
        FakeEngine([FOUND]),
        a_dataset(),
        labels=("person",),
        images=images,
        on_progress=told.append,
    )
    assert accuracy.map_50_95 == pytest.approx(1.0)
    assert told == [1]


@pytest.mark.parametrize(
    ("dataset", "says"),
    [
        (a_dataset("gone.jpg"), "cannot be read"),
        (a_dataset("broken.jpg"), "not a JPEG"),
        (a_dataset("../secret.jpg"), "outside the folder"),
        (a_dataset(width=65), "not as annotated"),
    ],
    ids=["missing", "broken", "outside", "size"],
)
def test_a_picture_that_does_not_fit_is_named(
    images: Path, dataset: CocoDataset, says: str
) -> None:
    with pytest.raises(NotCoco, match=says):
        measure_on_coco(FakeEngine(), dataset, labels=("person",), images=images)
