"""A tier's answer, in the agent's own words."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

import numpy as np

from edge_agent.overflow.errand import Answered, Tongue
from processing.pipeline.tiling import Crop
from processing.vision.detections import Detections
from processing.wire.limits import MAX_LABELS
from processing.wire.messages import BundleState
from processing.wire.tier import FoundThing, Judged


@dataclass(frozen=True, slots=True)
class Read:
    """What an answer says."""

    answered: Answered
    n_unknown: int
    """Things that the agent has no word for."""


def read_judged(
    judged: Judged,
    crop: Crop,
    labels: tuple[str, ...],
    *,
    bundle_of: Callable[[bytes], BundleState | None] = lambda _: None,
) -> Read:
    """Return what was found in `crop` of a frame, by the agent's own numbers for `labels`.

    `bundle_of` says what is known of the bundle that judged.
    """
    sound = [thing for thing in judged.detections if _is_sound(thing)]
    own = {name: number for number, name in enumerate(labels)}
    known = [thing for thing in sound if thing.name in own]
    numbers = {own[thing.name]: thing.label for thing in known}
    is_same = all(mine == its for mine, its in numbers.items())
    size = np.array([crop.width, crop.height] * 2, np.float32)
    corner = np.array([crop.left, crop.top] * 2, np.float32)
    boxes = np.array([thing.box for thing in known], np.float32).reshape(-1, 4)
    found = Detections(
        boxes * size + corner,
        np.array([thing.score for thing in known], np.float32),
        np.array([own[thing.name] for thing in known], np.int32),
    )
    tongue = Tongue(bytes.fromhex(judged.version), None if is_same else numbers)
    bundle = bundle_of(tongue.bundle)
    words = None if bundle is None else frozenset(own[n] for n in bundle.labels if n in own)
    return Read(Answered(found, tongue, words), len(sound) - len(known))


def _is_sound(thing: FoundThing) -> bool:
    left, top, right, bottom = thing.box
    is_inside = 0.0 <= left <= right <= 1.0 and 0.0 <= top <= bottom <= 1.0
    return (
        is_inside
        and isfinite(thing.score)
        and 0.0 <= thing.score <= 1.0
        and 0 <= thing.label < MAX_LABELS
    )
