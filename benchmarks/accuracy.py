"""COCO mAP of a bundle, through the code that looks at cameras."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Final, Protocol

import msgspec

from benchmarks.accuracy_path.through_video import QUANTIZERS, measure_through_video
from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say
from deploy.default_bundle import default_bundle_path
from processing.evaluation.accuracy import Accuracy
from processing.evaluation.on_coco import SCORE_FLOOR, measure_on_coco
from processing.exchange.coco import CocoDataset, NotCoco, read_coco
from processing.inference.bundle import BadBundle, Bundle
from processing.inference.detector import Detector, InferenceFailed
from processing.inference.engine import Engine, best_artifact
from processing.inference.manifest import Artifact
from processing.media.decode import SourceLost
from processing.media.jpeg import BadPicture

QUICK_IMAGES: Final = 32


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, default=default_bundle_path(), help="default: ours")
    parser.add_argument("--images", type=Path, help="folder of COCO pictures")
    parser.add_argument("--annotations", type=Path, help="their instances JSON")


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    if options.images is None or options.annotations is None:
        note = "nothing measured: give annotated pictures with --images DIR --annotations FILE"
        return Outcome(figures={}, notes=(note,))
    try:
        bundle = Bundle.open(options.bundle)
        dataset = read_coco(options.annotations.read_bytes())
        if options.quick:
            dataset = _first(dataset, QUICK_IMAGES)
        return _compare(bundle, dataset, options.images, say)
    except (BadBundle, BadPicture, InferenceFailed, NotCoco, OSError, SourceLost) as error:
        raise CannotMeasure(str(error)) from error


def _compare(bundle: Bundle, dataset: CocoDataset, images: Path, say: Say) -> Outcome:
    """Measure what agents run, and the source it was made from, on the same pictures.

    And what agents run once more, through H.264 and the agent's decoder.
    """
    chosen = best_artifact(bundle.manifest)
    accuracy = _accuracy_of(bundle, chosen, dataset, images, say)
    by_video = _through_video(bundle, dataset, images, say)
    figures = {
        "map_50_95": _points(accuracy.map_50_95),
        "map_50": _points(accuracy.map_50),
        "n_images": float(accuracy.n_images),
        "map_50_95_video_path": _points(mean(by_video)),
        "map_50_95_video_path_lowest": _points(min(by_video)),
        "map_50_95_video_path_highest": _points(max(by_video)),
    }
    if accuracy.map_50_95 > 0.0:
        figures["video_path_over_own_ratio"] = round(mean(by_video) / accuracy.map_50_95, 4)
    labels = bundle.manifest.labels
    if "person" in labels and labels.index("person") in accuracy.by_label:
        figures["map_person"] = _points(accuracy.by_label[labels.index("person")])
    notes = [
        f"bundle {bundle.manifest.name} {bundle.manifest.version}, artifact {chosen.title}",
        f"mAP in points, 0 to 100; scores above {SCORE_FLOOR}, best 100 detections a picture",
        "video path: each picture as H.264 in BT.601, through the agent's decoder",
        f"video path: the mean over {len(QUANTIZERS)} nearly lossless encodings",
    ]
    source = bundle.manifest.artifact("onnx")
    if source is None or source == chosen:
        notes.append("no other artifact to compare with")
    else:
        ceiling = _accuracy_of(bundle, source, dataset, images, say)
        figures["source_map_50_95"] = _points(ceiling.map_50_95)
        if ceiling.map_50_95 > 0.0:
            figures["over_source_ratio"] = round(accuracy.map_50_95 / ceiling.map_50_95, 4)
        notes.append(f"source_map_50_95 is artifact {source.title}, on the same pictures")
    return Outcome(figures=figures, notes=tuple(notes))


def _through_video(bundle: Bundle, dataset: CocoDataset, images: Path, say: Say) -> list[float]:
    """Return the mAP (0..1) of what agents run, for each encoding of the same pictures."""
    chosen = best_artifact(bundle.manifest)
    ways = [partial(measure_through_video, quantizer=quantizer) for quantizer in QUANTIZERS]
    return [_accuracy_of(bundle, chosen, dataset, images, say, way).map_50_95 for way in ways]


class _Way(Protocol):
    """How pictures come to the detector: `measure_on_coco`, or `measure_through_video`."""

    def __call__(
        self,
        detector: Detector,
        dataset: CocoDataset,
        *,
        labels: tuple[str, ...],
        images: Path,
        on_progress: Callable[[int], None] | None = None,
    ) -> Accuracy: ...


def _accuracy_of(
    bundle: Bundle,
    artifact: Artifact,
    dataset: CocoDataset,
    images: Path,
    say: Say,
    way: _Way = measure_on_coco,
) -> Accuracy:
    engine = Engine.open(bundle.measured_with(artifact, score_floor=SCORE_FLOOR))
    n_images = len(dataset.images)
    try:
        return way(
            engine,
            dataset,
            labels=bundle.manifest.labels,
            images=images,
            on_progress=lambda n_done: say(f"{artifact.title}, {n_done} of {n_images} pictures"),
        )
    finally:
        engine.close()


def _points(share: float) -> float:
    return round(100.0 * share, 2)


def _first(dataset: CocoDataset, n_images: int) -> CocoDataset:
    images = dataset.images[:n_images]
    kept = {image.id for image in images}
    annotations = [each for each in dataset.annotations if each.image_id in kept]
    return msgspec.structs.replace(dataset, images=images, annotations=annotations)


BENCHMARK: Final = Benchmark(
    summary="COCO mAP of a bundle, through the code that looks at cameras.",
    measure=_measure,
    add_options=_add_options,
)
