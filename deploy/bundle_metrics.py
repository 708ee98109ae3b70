"""What is measured of a bundle when it is built, for its manifest to say."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from deploy import nanodet
from processing.evaluation.accuracy import Accuracy, measure_accuracy
from processing.evaluation.on_coco import SCORE_FLOOR, measure_on_coco
from processing.exchange.coco import read_coco
from processing.inference.bundle import Bundle
from processing.inference.engine import Engine
from processing.inference.manifest import Artifact, Metric, Runtime
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.vision.geometry import areas
from processing.vision.truth import Truth

MIN_AGREEMENT: Final = 0.7
"""Below it, quantisation has broken the network; some architectures lose everything."""
CONFIDENT: Final = 0.3
"""What the source network says with this score is what INT8 has to say as well."""
PUBLISHED: Final = Metric(
    name="map_50_95",
    value=nanodet.PUBLISHED_MAP,
    artifact="onnx-fp32",
    dataset="COCO val2017",
    origin="published by the NanoDet project, before conversion",
)


class TooInaccurate(RuntimeError):
    """Quantisation has broken the network; the text says how badly."""


@dataclass(frozen=True, slots=True)
class CocoSource:
    """Annotated pictures to measure on."""

    images: Path
    annotations: Path


def measure_agreement(bundle: Bundle, frames: Sequence[Frame], *, dataset: str) -> list[Metric]:
    """Return how far INT8 finds what the source network finds; raise `TooInaccurate` if too little.

    This needs no annotated pictures: what the source network is confident of is the truth here.
    """
    wanted = _detect_all(bundle, _artifact_of(bundle, "onnx"), frames)
    found = _detect_all(bundle, _artifact_of(bundle, "openvino"), frames)
    truths = [_as_truth(each[each.scores >= CONFIDENT]) for each in wanted]
    agreement = measure_accuracy(list(zip(truths, found, strict=True)))
    if not agreement.map_50 >= MIN_AGREEMENT:  # nan too
        raise TooInaccurate(
            f"the INT8 network finds too little of what its source finds: {agreement.map_50:.2f}; "
            f"at least {MIN_AGREEMENT} is wanted"
        )
    return list(_metrics("agreement_", agreement, _artifact_of(bundle, "openvino"), dataset))


def measure_coco(bundle: Bundle, source: CocoSource) -> Iterator[Metric]:
    """Yield COCO's figures of every artifact."""
    for artifact in bundle.manifest.artifacts:
        yield from coco_metrics(measure_artifact(bundle, artifact, source), artifact, source)


def measure_artifact(bundle: Bundle, artifact: Artifact, source: CocoSource) -> Accuracy:
    """Return the accuracy of one artifact; raise `NotCoco`, `BundleUnfit`, `InferenceFailed`."""
    dataset = read_coco(source.annotations.read_bytes())
    engine = Engine.open(bundle.measured_with(artifact, score_floor=SCORE_FLOOR))
    try:
        return measure_on_coco(engine, dataset, labels=bundle.manifest.labels, images=source.images)
    finally:
        engine.close()


def coco_metrics(accuracy: Accuracy, artifact: Artifact, source: CocoSource) -> Iterator[Metric]:
    """Yield the figures as a manifest has them."""
    return _metrics("", accuracy, artifact, f"COCO, {source.annotations.name}")


def _metrics(prefix: str, accuracy: Accuracy, artifact: Artifact, dataset: str) -> Iterator[Metric]:
    figures = {"map_50_95": accuracy.map_50_95, "map_50": accuracy.map_50}
    for name, value in figures.items():
        if not math.isnan(value):
            yield Metric(
                name=f"{prefix}{name}",
                value=round(value, 4),
                artifact=artifact.title,
                dataset=f"{dataset} ({accuracy.n_images} pictures)",
                origin="measured at build",
            )


def _detect_all(bundle: Bundle, artifact: Artifact, frames: Sequence[Frame]) -> list[Detections]:
    engine = Engine.open(bundle.measured_with(artifact, score_floor=SCORE_FLOOR))
    try:
        return [engine.detect(frame) for frame in frames]
    finally:
        engine.close()


def _as_truth(found: Detections) -> Truth:
    return Truth(
        xyxy=found.xyxy,
        labels=found.labels,
        is_crowd=np.zeros(len(found), np.bool_),
        areas=areas(found.xyxy),
    )


def _artifact_of(bundle: Bundle, runtime: Runtime) -> Artifact:
    artifact = bundle.manifest.artifact(runtime)
    assert artifact is not None
    return artifact
