"""Why a sample is worth a labeler's minute: in words, with the figure, and how much it is worth.

Pure functions of what is known about it; see `webapp.review.evidence` for how that is known.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from webapp.review.boxes import PredictedBox
from webapp.review.policies import Reason, SelectionPolicy

WANTED: Final = 2.0
"""The urgency of what a person wants looked at; of all else it is at most 1."""
_NETWORK_TO_LOOK: Final = 3.0
"""Embeddings are about a third as far apart as looks: what either calls far is as urgent."""


@dataclass(frozen=True, slots=True)
class Flicker:
    """A track that a camera sees now and then only."""

    label: str
    share: float
    """Of the frames from its first to its last, in how many it was seen."""
    n_frames: int


@dataclass(frozen=True, slots=True)
class Novelty:
    """How far a picture is from the nearest labelled one, 0..1."""

    distance: float
    is_by_network: bool = False
    """By the network's embeddings; else by what pictures look like."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about a sample; None or empty: nothing."""

    reason: str
    """Why it was kept."""
    score: float
    """The figure behind that."""
    draw: float
    """Evenly drawn from 0..1 for this sample, and always the same."""
    note: str = ""
    """What a person says of it."""
    predicted: Sequence[PredictedBox] = ()
    threshold: float = 0.4
    """What its camera calls seen."""
    flicker: Flicker | None = None
    shares: tuple[tuple[str, float], ...] = ()
    """Of all that is labelled, how much each class in it makes up."""
    n_compared: int | None = None
    """Things of which agent and cloud saw `score` otherwise, where that is why it was kept."""
    n_shadowed: int = 0
    """Things that its bundle and another model saw together; 0: they do not differ."""
    n_shadowed_alone: int = 0
    """Of these, what one of the two alone saw."""
    novelty: Novelty | None = None
    trouble: str = ""
    """What is wrong with its camera's pictures."""
    trouble_minutes: float = 0.0


@dataclass(frozen=True, slots=True)
class Pick:
    """The best reason to ask labelers about a sample."""

    reason: Reason
    figure: float
    why: str
    """In words, with the figure."""
    urgency: float
    """0..1, or `WANTED`: higher comes first."""


def appraise(evidence: Evidence, policy: SelectionPolicy) -> Pick | None:
    """Return the most urgent of the policy's reasons; None where it has none.

    A random sample is random whatever else it is, or the slice would be one of doubtful pictures.
    """
    found = [pick for pick in _picks(evidence, policy) if pick.reason in policy.reasons]
    return max(found, key=lambda pick: pick.urgency, default=None)


def doubt(score: float, threshold: float) -> float:
    """Return how little a score says of which side of the threshold is right, 0..1 (at it)."""
    reach = threshold if score < threshold else 1.0 - threshold
    return 1.0 - abs(score - threshold) / reach if reach > 0.0 else 1.0


def doubtful_boxes(
    predicted: Sequence[PredictedBox], policy: SelectionPolicy
) -> list[PredictedBox]:
    """Return the predictions whose score is low."""
    return [box for box in predicted if policy.low_score <= box.score <= policy.high_score]


def _picks(evidence: Evidence, policy: SelectionPolicy) -> Iterator[Pick]:
    match evidence.reason:
        case _ if evidence.note:
            reason: Reason = "false_alarm" if evidence.reason == "false_alarm" else "reported"
            yield Pick(reason, evidence.score, evidence.note, WANTED)
        case "random":
            why = "Taken at random, so that what is measured stays unbiased"
            yield Pick("random", evidence.score, why, _urgency_of_random(evidence, policy))
        case "imported":
            yield Pick("imported", 0.0, "Imported, to be labelled", 0.5)
        case "shadow" | "cloud" as reason:
            yield Pick(reason, evidence.score, _dissent(evidence), 0.5 + 0.5 * evidence.score)
            if reason not in policy.reasons:
                yield from _of_scores(evidence, policy)
                yield from _of_the_whole(evidence, policy)
        case _:
            yield from _of_scores(evidence, policy)
            yield from _of_the_whole(evidence, policy)


def _of_scores(evidence: Evidence, policy: SelectionPolicy) -> Iterator[Pick]:
    threshold = evidence.threshold
    for box in doubtful_boxes(evidence.predicted, policy):
        why = f"In doubt about “{box.label}”: the model is {box.score:.0%} sure"
        yield Pick("low_confidence", box.score, why, 0.9 * doubt(box.score, threshold))
    for box in evidence.predicted:
        if abs(box.score - threshold) <= policy.threshold_margin:
            why = f"“{box.label}” is at {box.score:.0%}, close to the threshold of {threshold:.0%}"
            yield Pick("near_threshold", box.score, why, doubt(box.score, threshold))
    if evidence.reason == "low_confidence" and not evidence.predicted:
        why = f"In doubt about this picture: the model is {evidence.score:.0%} sure"
        yield Pick("low_confidence", evidence.score, why, 0.9 * doubt(evidence.score, threshold))


def _of_the_whole(evidence: Evidence, policy: SelectionPolicy) -> Iterator[Pick]:
    flicker = evidence.flicker
    if flicker is not None and flicker.share <= policy.steady_share:
        seen = f"seen in {flicker.share:.0%} of {flicker.n_frames} frames"
        why = f"“{flicker.label}” comes and goes: {seen}"
        yield Pick("flicker", flicker.share, why, 1.0 - 0.5 * flicker.share)
    for label, share in evidence.shares:
        if share < policy.rare_share:
            why = f"“{label}” is rare: {share:.1%} of all that is labelled"
            yield Pick("rare_class", share, why, 1.0 - 0.3 * share / policy.rare_share)
    if evidence.n_shadowed:
        share = evidence.n_shadowed_alone / evidence.n_shadowed
        boxes = f"{evidence.n_shadowed_alone} of {evidence.n_shadowed} boxes"
        why = f"Another model says otherwise: {boxes}"
        yield Pick("shadow", share, why, 0.5 + 0.5 * share)
    if evidence.novelty is not None:
        yield from _of_novelty(evidence.novelty, policy)
    if evidence.trouble:
        minutes = evidence.trouble_minutes
        why = f"Its camera's pictures have changed: {evidence.trouble}, for {minutes:.0f} min"
        yield Pick("drift", minutes, why, 0.6)


def _of_novelty(novelty: Novelty, policy: SelectionPolicy) -> Iterator[Pick]:
    far = novelty.distance
    if novelty.is_by_network and far >= policy.novelty_to_network:
        figures = f"{far:.3f} from the nearest, {policy.novelty_to_network:.3f} is far"
        why = f"Unlike all that is labelled, to the network: {figures}"
        yield Pick("novelty", far, why, min(0.5 + _NETWORK_TO_LOOK * far, 1.0))
    if not novelty.is_by_network and far >= policy.novelty:
        figures = f"{far:.2f} from the nearest, {policy.novelty:.2f} is far"
        why = f"Unlike all that is labelled, by its looks: {figures}"
        yield Pick("novelty", far, why, min(0.5 + far, 1.0))


def _dissent(evidence: Evidence) -> str:
    """Return who says otherwise than the agent's network, and how much of it."""
    if evidence.n_compared is not None:
        n_alone = round(evidence.score * evidence.n_compared)
        return f"The cloud says otherwise: {n_alone} of {evidence.n_compared} boxes"
    who = "Another model" if evidence.reason == "shadow" else "The cloud"
    return f"{who} says otherwise, by {evidence.score:.0%}"


def _urgency_of_random(evidence: Evidence, policy: SelectionPolicy) -> float:
    """Place it as if it had been in doubt: neither starved nor preferred."""
    score = policy.low_score + (policy.high_score - policy.low_score) * evidence.draw
    return 0.9 * doubt(score, evidence.threshold)
