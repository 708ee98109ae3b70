"""A cheap network at the edge, a larger one for what it is in doubt of: accuracy and its price."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.cascade_path.looks import (
    WAYS,
    Cloud,
    Judged,
    Picture,
    Way,
    all_frames,
    at_the_edge,
    judge,
)
from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say
from deploy.default_bundle import default_bundle_path
from processing.evaluation.accuracy import measure_accuracy
from processing.evaluation.on_coco import SCORE_FLOOR
from processing.exchange.coco import NotCoco, read_coco
from processing.inference.bundle import BadBundle, Bundle
from processing.inference.detector import InferenceFailed
from processing.inference.engine import best_artifact
from processing.inference.heads.decoder import Unfit
from processing.media.jpeg import BadPicture
from processing.pipeline.cascade import Doubt

WINDOWS: Final = ((0.4, 0.45), (0.35, 0.45), (0.25, 0.3), (0.25, 0.45), (0.2, 0.5), (0.2, 0.7))
"""Scores that are in doubt, from and to: 0.25 to 0.45 is what agents are told by default."""
QUICK_IMAGES: Final = 24


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--edge", type=Path, default=default_bundle_path(), help="default: ours")
    parser.add_argument("--cloud", type=Path, help="the larger network's bundle")
    parser.add_argument("--images", type=Path, help="folder of COCO pictures")
    parser.add_argument("--annotations", type=Path, help="their instances JSON")


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    if None in (options.cloud, options.images, options.annotations):
        note = "nothing measured: give --cloud BUNDLE --images DIR --annotations FILE"
        return Outcome(figures={}, notes=(note,))
    try:
        edge, cloud = _open(options.edge), _open(options.cloud)
        dataset = read_coco(options.annotations.read_bytes())
        if options.quick:
            chosen = dataset.images[:QUICK_IMAGES]
            ids = {image.id for image in chosen}
            kept = [each for each in dataset.annotations if each.image_id in ids]
            dataset = msgspec.structs.replace(dataset, images=chosen, annotations=kept)
        pictures = at_the_edge(
            edge, dataset, options.images, lambda n: say(f"at the edge, {n} pictures")
        )
        figures = dict(_curves(pictures, cloud, edge.manifest.labels, say))
    except (BadBundle, BadPicture, InferenceFailed, NotCoco, OSError, Unfit) as error:
        raise CannotMeasure(str(error)) from error
    return Outcome(
        {name: round(value, 4) for name, value in figures.items()},
        (
            f"edge: {edge.manifest.name}; cloud: {cloud.manifest.name}; mAP in points, 0 to 100",
            f"{len(pictures)} pictures; in doubt: scores between the two numbers of a name, in %",
            "frames: the whole picture is asked about, and replaced; crops: what is in doubt",
            "extra_ms: CPU of decoding and the larger network, over all pictures; extra_kb: JPEGs",
        ),
    )


def _open(path: Path) -> Bundle:
    """Return the bundle as it is best run, with the floor that accuracy is measured with."""
    bundle = Bundle.open(path)
    return bundle.measured_with(best_artifact(bundle.manifest), score_floor=SCORE_FLOOR)


def _curves(
    pictures: list[Picture], bundle: Bundle, labels: tuple[str, ...], say: Say
) -> Iterator[tuple[str, float]]:
    alone = 100.0 * measure_accuracy([(each.truth, each.found) for each in pictures]).map_50_95
    yield "edge_map_50_95", alone
    cloud = Cloud(bundle, labels)
    try:
        say("everything in the cloud")
        always = judge(pictures, Way("cloud", all_frames), Doubt(0.0, 1.0), cloud)
        yield from _of(always, "cloud", alone)
        for way in WAYS:
            for low, high in WINDOWS:
                say(f"{way.name}, in doubt from {low} to {high}")
                judged = judge(pictures, way, Doubt(low, high), cloud)
                yield from _of(judged, f"{way.name}_{100 * low:.0f}_{100 * high:.0f}", alone)
    finally:
        cloud.close()


def _of(judged: Judged, name: str, alone: float) -> Iterator[tuple[str, float]]:
    """Yield one point of a curve; without a second look there is no gain to divide."""
    spent, points = judged.spent, 100.0 * measure_accuracy(judged.pairs).map_50_95
    extra_ms = 1000.0 * spent.seconds / spent.n_pictures
    extra_kb = spent.n_bytes / 1000.0 / spent.n_pictures
    yield f"{name}_map_50_95", points
    yield f"{name}_asked_share", spent.n_asked / spent.n_pictures
    yield f"{name}_extra_ms", extra_ms
    yield f"{name}_extra_kb", extra_kb
    if spent.n_looks:
        yield f"{name}_points_per_ms", (points - alone) / extra_ms
        yield f"{name}_points_per_kb", (points - alone) / extra_kb


BENCHMARK: Final = Benchmark(summary=__doc__ or "", measure=_measure, add_options=_add_options)
