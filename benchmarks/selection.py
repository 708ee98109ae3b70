"""Whether choosing what labelers are asked is worth it: errors found, against a random choice."""

import argparse
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Final

from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say
from benchmarks.selection_path.items import REGIONS, THRESHOLD, Item, items_of
from deploy.default_bundle import default_bundle_path
from processing.evaluation.on_coco import read_frame
from processing.exchange.coco import NotCoco, read_coco, truth_by_image
from processing.inference.bundle import BadBundle, Bundle
from processing.inference.detector import InferenceFailed
from processing.inference.engine import Engine, best_artifact
from webapp.review.appraisal import Evidence, appraise
from webapp.review.policies import SelectionPolicy

N_PICKS: Final = 200
SEEDS: Final = (1, 2, 3, 4, 5)
SCORE_FLOOR: Final = 0.05


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, default=default_bundle_path(), help="default: ours")
    parser.add_argument("--images", type=Path, help="folder of COCO pictures")
    parser.add_argument("--annotations", type=Path, help="their instances JSON, hidden from it")


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    if options.images is None or options.annotations is None:
        note = "nothing measured: give annotated pictures with --images DIR --annotations FILE"
        return Outcome(figures={}, notes=(note,))
    try:
        items = _items(options, say)
    except (BadBundle, InferenceFailed, NotCoco, OSError) as error:
        raise CannotMeasure(str(error)) from error
    n_errors = sum(item.is_error for item in items)
    n_picks = min(N_PICKS, len(items) // 3)
    if not n_errors or not n_picks:
        raise CannotMeasure("nothing is wrong in these pictures, or there are too few of them")
    found = [_found(items, n_picks, Random(seed)) for seed in SEEDS]  # noqa: S311 - no secret
    ratios = [by_policy / max(at_random, 1) for by_policy, at_random in found]
    return Outcome(
        figures={
            "errors_over_random_ratio": round(fmean(ratios), 3),
            "errors_over_random_worst_seed_ratio": round(min(ratios), 3),
            "errors_by_policy": round(fmean(by_policy for by_policy, _ in found), 1),
            "errors_at_random": round(fmean(at_random for _, at_random in found), 1),
            "n_items": float(len(items)),
            "n_errors": float(n_errors),
        },
        notes=(
            f"the first {n_picks} picks, seeds {SEEDS[0]} to {SEEDS[-1]}; both from the same items",
            f"items: boxes of {THRESHOLD} or more, regions ({REGIONS} x {REGIONS}) without one",
        ),
    )


def _items(options: argparse.Namespace, say: Say) -> list[Item]:
    bundle = Bundle.open(options.bundle)
    labels = bundle.manifest.labels
    dataset = read_coco(options.annotations.read_bytes())
    truths = truth_by_image(dataset, labels)
    engine = Engine.open(
        bundle.measured_with(best_artifact(bundle.manifest), score_floor=SCORE_FLOOR)
    )
    items: list[Item] = []
    try:
        for n_done, image in enumerate(dataset.images):
            say(f"{n_done} of {len(dataset.images)} pictures")
            frame = read_frame(options.images, image.file_name)
            size = {"width": frame.width, "height": frame.height}
            items += items_of(engine.detect(frame), truths[image.id], labels=labels, **size)
    finally:
        engine.close()
    return items


def _found(items: list[Item], n_picks: int, dice: Random) -> tuple[int, int]:
    """Return how many errors the policy's first picks find, and how many random ones do."""
    shuffled = dice.sample(items, len(items))  # what is equally urgent comes in any order
    chosen = sorted(shuffled, key=_urgency, reverse=True)[:n_picks]
    at_random = dice.sample(items, n_picks)
    return sum(item.is_error for item in chosen), sum(item.is_error for item in at_random)


def _urgency(item: Item) -> float:
    evidence = Evidence(
        reason="low_confidence", score=0.0, draw=0.0, predicted=item.predicted, threshold=THRESHOLD
    )
    pick = appraise(evidence, _POLICY) if item.predicted else None
    return 0.0 if pick is None else pick.urgency


_POLICY: Final = SelectionPolicy()

BENCHMARK: Final = Benchmark(
    summary="Whether choosing what labelers are asked is worth it.",
    measure=_measure,
    add_options=_add_options,
)
