"""Real networks of every kind see real pictures as well as they did when this was written.

The networks and the 128 annotated pictures lie beside the checkout, and nowhere else: here 24 of
them are looked at; `make soak` looks at all.
"""

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.own_bundle import build_own_bundle
from deploy.own_model import OwnModel
from processing.evaluation.on_coco import SCORE_FLOOR, measure_on_coco
from processing.exchange.coco import CocoCategory, CocoDataset, read_coco
from processing.inference.engine import Engine, best_artifact

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
MODELS = DATA / "models"
OPEN_IMAGES = {
    "bicycle": "Bicycle", "laptop": "Laptop", "person": "Person", "chair": "Chair",
    "cow": "Cattle", "cat": "Cat", "mouse": "Computer mouse", "tv": "Computer monitor",
    "cup": "Mug", "dining table": "Table", "bottle": "Bottle", "dog": "Dog", "book": "Book",
    "car": "Car",
}  # fmt: skip
"""COCO's names of what the SSD knows under others."""

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="no real networks and pictures in ../shared/data"
)


@dataclass(frozen=True, slots=True)
class Real:
    """A real network, and the least mAP it must have."""

    network: str
    labels: str
    on_24: float
    """Of the first 24 pictures."""
    on_128: float
    """Of all."""


# Measured, less half a point for the noise of other processors and versions of OpenVINO.
REAL = {
    "yolox": Real("yolox_nano_416/yolox_nano.onnx", "coco.names", 0.456, 0.329),
    "picodet": Real("picodet_s_416/picodet_s_416.onnx", "coco.names", 0.509, 0.407),
    "fastestdet": Real("fastestdet_352/FastestDet.onnx", "coco.names", 0.314, 0.200),
    "ssd": Real(
        "ssd_mnv2_oidv4_300/object_detection_ssd_mobilenetv2_oidv4_fp16.tflite",
        "ssd_mnv2_oidv4_300/object_detection_oidv4_labelmap.txt",
        0.257,
        0.206,
    ),
}


def pictures(n_images: int, labels: tuple[str, ...]) -> CocoDataset:
    """Return the first pictures, with what has one of these labels."""
    dataset = read_coco((DATA / "annotations/instances_train2017_128.json").read_bytes())
    images = dataset.images[:n_images]
    known = labels if "person" in labels else tuple(OPEN_IMAGES)
    categories = {each.id: each for each in dataset.categories if each.name in known}
    shown = {image.id for image in images}
    return CocoDataset(
        images=images,
        categories=[
            CocoCategory(each.id, each.name if each.name in labels else OPEN_IMAGES[each.name])
            for each in categories.values()
        ],
        annotations=[
            each
            for each in dataset.annotations
            if each.category_id in categories and each.image_id in shown
        ],
    )


@pytest.mark.soak
@pytest.mark.parametrize("kind", REAL)
def test_it_is_as_accurate_as_ever(kind: str, tmp_path: Path) -> None:
    real = REAL[kind]
    model = OwnModel(
        network=MODELS / real.network,
        kind=kind,
        labels=MODELS / real.labels,
        name=kind,
        version="1",
        licence="Apache-2.0",
    )
    bundle = build_own_bundle(
        model, out=tmp_path / kind, coco=None, on_step=lambda step: None
    ).bundle
    labels = bundle.manifest.labels
    n_images = 128 if os.environ.get("FARWATCH_SOAK") else 24
    artifact = best_artifact(bundle.manifest)
    with closing(Engine.open(bundle.measured_with(artifact, score_floor=SCORE_FLOOR))) as engine:
        accuracy = measure_on_coco(
            engine, pictures(n_images, labels), labels=labels, images=DATA / "images/train2017"
        )
    assert accuracy.n_images == n_images
    assert accuracy.map_50_95 >= (real.on_24 if n_images == 24 else real.on_128), kind
