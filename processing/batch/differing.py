"""Where a batch's bundle and the one that judged a sample before saw different things."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from processing.pipeline.dissent import dissent
from processing.pipeline.to_wire import unpack_detections
from processing.vision.detections import Detections
from processing.wire.messages import Disagreement
from processing.wire.packed import UNIT

_HALF_A_UNIT: Final = 0.5 / UNIT
"""Scores were rounded when they were packed."""

Zone = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Said:
    """What a bundle found in a picture, and what the numbers in it mean."""

    found: bytes
    """Checked, see `processing.wire.packed`."""
    labels: Sequence[str]


@dataclass(frozen=True, slots=True)
class Terms:
    """What of it is compared."""

    min_score: float
    labels: Collection[str] = ()
    """Only these classes; empty for all that both bundles have a word for."""
    zones: Sequence[Zone] = ()
    """Covered in the kept picture, 0..1: what lies there one of the two could not see."""


def difference(own: Said, other: Said, terms: Terms) -> Disagreement | None:
    """Return how far two bundles differ about one picture; None where they do not."""
    names = set(own.labels) & set(other.labels)
    if terms.labels:
        names &= set(terms.labels)
    numbers = {name: number for number, name in enumerate(sorted(names))}
    return dissent(_compared(own, numbers, terms), _compared(other, numbers, terms))


def _compared(said: Said, numbers: dict[str, int], terms: Terms) -> Detections:
    """Return what counts, boxes 0..1, with labels by the numbers that both share."""
    found = unpack_detections(said.found, width=1, height=1)
    shared = np.array([numbers.get(name, -1) for name in said.labels], np.int32)
    labels = shared[found.labels] if len(found) else found.labels
    is_meant = (labels >= 0) & (found.scores >= terms.min_score - _HALF_A_UNIT)
    for zone in terms.zones:
        low, high = np.min(zone, axis=0), np.max(zone, axis=0)
        is_meant &= ~((found.xyxy[:, :2] < high) & (found.xyxy[:, 2:] > low)).all(axis=1)
    return Detections(found.xyxy, found.scores, labels)[is_meant]
