"""`python -m benchmarks selection`: what an error is, and that choosing finds more of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.selection_path.items import Item, items_of
from deploy.default_bundle import default_bundle_path
from processing.vision.detections import Detections
from processing.vision.truth import Truth

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LABELS = ("person", "car")
CAR = [10, 10, 40, 40]
ELSEWHERE = [60, 60, 90, 90]


def seen(*boxes: tuple[list[int], int, float]) -> Detections:
    return Detections(
        xyxy=np.array([box for box, _, _ in boxes], np.float32).reshape(-1, 4),
        labels=np.array([label for _, label, _ in boxes], np.int32),
        scores=np.array([score for _, _, score in boxes], np.float32),
    )


def true(*boxes: tuple[list[int], int]) -> Truth:
    xyxy = np.array([box for box, _ in boxes], np.float32).reshape(-1, 4)
    return Truth(
        xyxy=xyxy,
        labels=np.array([label for _, label in boxes], np.int32),
        is_crowd=np.zeros(len(boxes), np.bool_),
        areas=np.ones(len(boxes), np.float32),
    )


def asked(found: Detections, truth: Truth) -> tuple[list[Item], list[Item]]:
    """The claimed boxes and the empty regions of a picture of 100 x 100."""
    items = list(items_of(found, truth, labels=LABELS, width=100, height=100))
    n_claims = int((found.scores >= 0.4).sum())
    return items[:n_claims], items[n_claims:]


def test_a_box_is_right_where_its_thing_is() -> None:
    (claim,), regions = asked(seen((CAR, 1, 0.8)), true((CAR, 1)))
    assert not claim.is_error
    assert claim.predicted[0].label == "car"
    assert [region.is_error for region in regions] == [False] * 3


@pytest.mark.parametrize("truth", [true(), true((CAR, 0)), true((ELSEWHERE, 1))])
def test_a_box_is_wrong_where_nothing_of_its_class_is(truth: Truth) -> None:
    (claim,), _ = asked(seen((CAR, 1, 0.8)), truth)
    assert claim.is_error


def test_the_second_box_of_one_thing_is_wrong() -> None:
    claims, _ = asked(seen((CAR, 1, 0.5), (CAR, 1, 0.8)), true((CAR, 1)))
    assert [(claim.predicted[0].score > 0.7, claim.is_error) for claim in claims] == [
        (True, False), (False, True),
    ]  # fmt: skip


def test_a_region_is_wrong_where_something_was_missed() -> None:
    _, regions = asked(seen((ELSEWHERE, 0, 0.3)), true((ELSEWHERE, 1)))
    assert [region.is_error for region in regions] == [False, False, False, True]
    assert [len(region.predicted) for region in regions] == [0, 0, 0, 1]


def test_without_pictures_it_says_what_it_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["selection", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"] == {}


@pytest.mark.skipif(
    not DATA.is_dir() or not default_bundle_path().is_dir(),
    reason="no annotated COCO pictures in ../shared/data, or no default bundle",
)
def test_choosing_finds_half_as_many_errors_again_with_every_seed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    images = str(DATA / "images/train2017")
    truth = str(DATA / "annotations/instances_train2017_128.json")
    assert main(["selection", "--json", "--images", images, "--annotations", truth]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert figures["errors_over_random_ratio"] >= 1.5
    assert figures["errors_over_random_worst_seed_ratio"] >= 1.4
