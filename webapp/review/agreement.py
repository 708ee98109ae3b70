"""How far people agree about a picture, and what they agree on. Pure functions."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import fmean, median

from webapp.review.boxes import Box
from webapp.review.matching import match_boxes


@dataclass(frozen=True)
class Work:
    """What one person says of a picture."""

    boxes: Sequence[Box] = ()
    classes: frozenset[str] = frozenset()
    """Of the picture as a whole."""
    is_ambiguous: bool = False
    """Nobody can tell."""


@dataclass(frozen=True)
class ClassAgreement:
    """How far pairs of labelers agree about one class."""

    label: str
    n_things: int
    """That either of two named so."""
    f1: float
    """Whether they found the same ones."""
    kappa: float | None
    """Whether they named alike what both found (Cohen's); None where chance decides nothing."""


def f1(a: Work, b: Work, *, iou: float) -> float:
    """Return how much of what either sees both see, 0..1: boxes by class and place, and classes."""
    if a.is_ambiguous or b.is_ambiguous:
        return float(a.is_ambiguous == b.is_ambiguous)
    n_all = len(a.boxes) + len(b.boxes) + len(a.classes) + len(b.classes)
    n_same = len(match_boxes(a.boxes, b.boxes, iou=iou)) + len(a.classes & b.classes)
    return 2 * n_same / n_all if n_all else 1.0


def with_others(works: Sequence[Work], *, iou: float) -> list[float]:
    """Return how far the others agree with each of two or more: the mean F1 of its pairs."""
    of_pair = {
        (i, j): f1(works[i], works[j], iou=iou) for i, j in combinations(range(len(works)), 2)
    }
    return [fmean(same for pair, same in of_pair.items() if i in pair) for i in range(len(works))]


def agreed(works: Sequence[Work], *, iou: float) -> Work | None:
    """Return what all say: every box where the middle of theirs is; None when any two differ."""
    if any(f1(a, b, iou=iou) < 1.0 for a, b in combinations(works, 2)):
        return None
    first, *others = works
    same: list[list[Box]] = [[box] for box in first.boxes]
    for other in others:
        for found in match_boxes(first.boxes, other.boxes, iou=iou):
            same[found.ours].append(other.boxes[found.theirs])
    return Work([*map(_middle, same)], first.classes, first.is_ambiguous)


def kappa(ratings: Iterable[tuple[Hashable, Hashable]]) -> float | None:
    """Return Cohen's kappa of two raters; None where both always say the same one thing."""
    pairs = Counter(ratings)
    n = pairs.total()
    ours, theirs = Counter[Hashable](), Counter[Hashable]()
    for (our, their), times in pairs.items():
        ours[our] += times
        theirs[their] += times
    by_chance = sum(ours[name] * theirs[name] for name in ours)
    if by_chance == n * n:
        return None
    n_same = sum(times for (our, their), times in pairs.items() if our == their)
    return (n * n_same - by_chance) / (n * n - by_chance)


def by_class(pairs: Iterable[tuple[Work, Work]], *, iou: float) -> list[ClassAgreement]:
    """Return the agreement about each class over many pictures, the commonest class first."""
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    named: list[tuple[str, str]] = []
    for a, b in pairs:
        for work in (a, b):
            for label in _labels(work):
                tallies[label].n_named += 1
        for found in match_boxes(a.boxes, b.boxes, iou=iou):
            tallies[a.boxes[found.ours].label].n_same += 1
        for label in a.classes & b.classes:
            tallies[label].n_same += 1
        named.extend(
            (a.boxes[found.ours].label, b.boxes[found.theirs].label)
            for found in match_boxes(a.boxes, b.boxes, iou=iou, is_class_told=False)
        )
    return sorted(
        (
            ClassAgreement(
                label=label,
                n_things=tally.n_named - tally.n_same,
                f1=2 * tally.n_same / tally.n_named,
                kappa=kappa((a == label, b == label) for a, b in named),
            )
            for label, tally in tallies.items()
        ),
        key=lambda each: (-each.n_things, each.label),
    )


@dataclass
class _Tally:
    n_named: int = field(default=0)
    n_same: int = field(default=0)


def _labels(work: Work) -> Iterator[str]:
    yield from (box.label for box in work.boxes)
    yield from work.classes


def _middle(same: Sequence[Box]) -> Box:
    """Return the box in the middle of those; an outline has no middle: the first one stands."""
    drawn = [box for box in same if box.polygon is not None]
    if drawn:
        return drawn[0]
    x0, y0, x1, y1 = (median(edges) for edges in zip(*(box.xyxy for box in same), strict=True))
    return Box(xyxy=(x0, y0, x1, y1), label=same[0].label)
