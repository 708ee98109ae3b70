"""Every reason says why in words and with its figure, and the most urgent one is told."""

from dataclasses import replace

import pytest

from webapp.review.appraisal import WANTED, Evidence, Flicker, Novelty, Pick, appraise, doubt
from webapp.review.boxes import PredictedBox
from webapp.review.policies import SelectionPolicy

PLAIN = SelectionPolicy()


def seen(*scores: float, label: str = "person") -> tuple[PredictedBox, ...]:
    return tuple(PredictedBox((0.1, 0.1, 0.2, 0.2), label, score) for score in scores)


SURE = Evidence(reason="low_confidence", score=0.3, draw=0.5, predicted=seen(0.95))


def picked(evidence: Evidence, policy: SelectionPolicy = PLAIN) -> Pick:
    pick = appraise(evidence, policy)
    assert pick is not None
    return pick


@pytest.mark.parametrize(
    ("evidence", "reason", "figure", "why"),
    [
        (
            replace(SURE, predicted=seen(0.95, 0.31)),
            "low_confidence", 0.31, "In doubt about “person”: the model is 31% sure",
        ),
        (
            replace(SURE, predicted=seen(0.41), threshold=0.4),
            "near_threshold", 0.41, "“person” is at 41%, close to the threshold of 40%",
        ),
        (
            replace(SURE, flicker=Flicker("person", 0.45, 22)),
            "flicker", 0.45, "“person” comes and goes: seen in 45% of 22 frames",
        ),
        (
            replace(SURE, reason="shadow", score=0.7),
            "shadow", 0.7, "Another model says otherwise, by 70%",
        ),
        (
            replace(SURE, reason="cloud", score=0.7),
            "cloud", 0.7, "The cloud says otherwise, by 70%",
        ),
        (
            replace(SURE, reason="cloud", score=0.4, n_compared=5),
            "cloud", 0.4, "The cloud says otherwise: 2 of 5 boxes",
        ),
        (
            replace(SURE, n_shadowed=5, n_shadowed_alone=2),
            "shadow", 0.4, "Another model says otherwise: 2 of 5 boxes",
        ),
        (
            replace(SURE, novelty=Novelty(0.21)),
            "novelty", 0.21,
            "Unlike all that is labelled, by its looks: 0.21 from the nearest, 0.15 is far",
        ),
        (
            replace(SURE, novelty=Novelty(0.0625, is_by_network=True)),
            "novelty", 0.0625,
            "Unlike all that is labelled, to the network: 0.062 from the nearest, 0.050 is far",
        ),
        (
            replace(SURE, trouble="Out of focus", trouble_minutes=12.0),
            "drift", 12.0, "Its camera's pictures have changed: Out of focus, for 12 min",
        ),
        (
            replace(SURE, shares=(("person", 0.3), ("bicycle", 0.012))),
            "rare_class", 0.012, "“bicycle” is rare: 1.2% of all that is labelled",
        ),
        (
            replace(SURE, reason="random", predicted=seen(0.31)),
            "random", 0.3, "Taken at random, so that what is measured stays unbiased",
        ),
        (
            replace(SURE, reason="false_alarm", note="Marked as a false alarm by olga"),
            "false_alarm", 0.3, "Marked as a false alarm by olga",
        ),
        (
            replace(SURE, reason="reported", note="Reported by olga"),
            "reported", 0.3, "Reported by olga",
        ),
        (replace(SURE, reason="imported"), "imported", 0.0, "Imported, to be labelled"),
    ],
)  # fmt: skip
def test_each_reason_is_told_with_its_figure(
    evidence: Evidence, reason: str, figure: float, why: str
) -> None:
    pick = picked(evidence)
    assert (pick.reason, pick.figure, pick.why) == (reason, figure, why)
    assert 0.0 < pick.urgency <= 1.0 or pick.urgency == WANTED


def test_what_gives_no_reason_is_not_picked() -> None:
    steady = replace(
        SURE, flicker=Flicker("person", 0.9, 30), novelty=Novelty(0.1), shares=(("car", 0.5),)
    )
    assert appraise(steady, PLAIN) is None
    near = replace(steady, novelty=Novelty(0.04, is_by_network=True))
    assert appraise(near, PLAIN) is None


def test_who_does_not_ask_for_dissent_may_ask_for_the_doubt_in_the_same_picture() -> None:
    sample = replace(SURE, reason="cloud", score=0.4, predicted=seen(0.31))
    assert picked(sample).reason == "cloud"
    assert picked(sample, SelectionPolicy(reasons=("low_confidence",))).reason == "low_confidence"


def test_a_policy_wants_some_reasons_alone() -> None:
    both = replace(SURE, predicted=seen(0.31), novelty=Novelty(0.4))
    assert picked(both, SelectionPolicy(reasons=("low_confidence",))).reason == "low_confidence"
    assert picked(both, SelectionPolicy(reasons=("novelty",))).reason == "novelty"
    assert appraise(both, SelectionPolicy(reasons=("random",))) is None


def test_a_random_sample_stays_one_however_doubtful_it_is() -> None:
    assert picked(replace(SURE, reason="random", predicted=seen(0.4))).reason == "random"
    no_slice = SelectionPolicy(reasons=("low_confidence", "near_threshold"))
    assert appraise(replace(SURE, reason="random", predicted=seen(0.4)), no_slice) is None


def test_what_people_want_looked_at_comes_before_all_else() -> None:
    evidence = replace(SURE, predicted=seen(0.4), novelty=Novelty(0.9))
    assert picked(replace(evidence, note="Look!")).urgency > picked(evidence).urgency


def test_doubt_is_greatest_at_the_threshold_and_none_at_the_ends() -> None:
    assert doubt(0.4, 0.4) == 1.0
    assert doubt(0.0, 0.4) == doubt(1.0, 0.4) == 0.0
    assert doubt(0.2, 0.4) == pytest.approx(0.5) == doubt(0.7, 0.4)
    assert doubt(0.0, 0.0) == doubt(1.0, 1.0) == 1.0


def test_random_samples_are_neither_starved_nor_preferred() -> None:
    drawn = [
        picked(replace(SURE, reason="random", draw=draw / 10, predicted=())).urgency
        for draw in range(10)
    ]
    doubtful = [picked(replace(SURE, predicted=seen(0.25 + 0.01 * n))).urgency for n in range(20)]
    assert min(doubtful) <= min(drawn) <= max(drawn) <= max(doubtful)
    assert len(set(drawn)) > 5
