"""What a still picture looks like, how it wavers by itself, and hence what in it moves.

Every pixel has a running average and a running average of its distance from it: its own noise.
A pixel moves when it is further off than its noise explains. Noise is learnt robustly: what moves
through a pixel now and then hardly raises it, what flickers there a sixth of the time does, until
it is no longer news.
"""

from dataclasses import dataclass
from math import exp
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.vision.frame import Plane

_PICTURE_S: Final = 6.0
"""How fast the picture is learnt."""
_PASSING_S: Final = 60.0
"""Where something passes: it should leave no ghost behind."""
_SETTLED_S: Final = 3.0
_SETTLING_S: Final = 1.5
"""What has not changed for so long does not pass: it stands, or has left what stood there. It is
learnt so fast that it is still within ten seconds."""
_GLIMPSE_S: Final = 1.0
"""Change is looked for over this time at least, so that slow things do not seem to stand."""
_NOISE_S: Final = 30.0
_TRACKED_NOISE_S: Final = 600.0
"""Where something is tracked: its motion is no noise, but a tree in front of it is in the end."""
_MOST_NEWS: Final = 6.0
"""One frame counts at most as so many times the noise, so a sixth of the time makes a habit."""
_FIRST_NOISE: Final = 1.0
_SUSPICION: Final = 4.5
_CERTAINTY: Final = 7.0
"""Times the noise. Of a Gaussian they are 3.6 and 5.6 standard deviations."""
_LEAST_SUSPICIOUS: Final = 2.0
_LEAST_CERTAIN: Final = 3.0
"""Steps of luma, whatever the noise: what a network would not see either."""
_MEDIAN_OVER_MEAN: Final = 0.845
"""Of the absolute value of a Gaussian."""
_MOST_GAIN: Final = 4.0
_EVERY: Final = 3
"""Statistics of the whole picture are taken from every third pixel each way."""
_LIGHT_STEP: Final = 12.0
_LIGHT_SHARE: Final = 0.5
_SURE_AFTER: Final = 8
"""Frames until averages say anything."""

_Map = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """How a picture differs from the still one."""

    moves: Mask
    """(h, w); surely."""
    may_move: Mask
    """(h, w); likelier than not, which is enough where something is expected."""
    is_light: bool
    """The whole picture changed at once: a lamp, an exposure, a turned camera."""

    @property
    def share(self) -> float:
        """Return how much of the picture moves, 0..1."""
        return float(np.count_nonzero(self.moves)) / self.moves.size


class Background:
    """Of pictures of one size. Call `compare` once a frame, in order of time."""

    def __init__(self, first: Plane) -> None:
        self._picture: _Map = first.astype(np.float32)
        self._noise: _Map = np.full(first.shape, _FIRST_NOISE, np.float32)
        self._glimpse = first
        self._glimpse_age_s = 0.0
        self._unchanged_s: _Map = np.zeros(first.shape, np.float32)
        self._n_seen = 1

    @property
    def is_sure(self) -> bool:
        """Return whether it has seen enough to tell motion from noise."""
        return self._n_seen >= _SURE_AFTER

    @property
    def shape(self) -> tuple[int, ...]:
        return self._picture.shape

    def compare(self, picture: Plane, *, seconds: float, tracked: Mask | None) -> Difference:
        """Return what moves in the picture, taken `seconds` after the one before, and learn it.

        `tracked`, of the picture's shape, is where motion is not to be taken for noise.
        """
        away, step = _distance(picture, self._picture)
        limit = self._noise * self._gain(away)
        difference = Difference(
            moves=away > np.maximum(limit * np.float32(_CERTAINTY), np.float32(_LEAST_CERTAIN)),
            may_move=away
            > np.maximum(limit * np.float32(_SUSPICION), np.float32(_LEAST_SUSPICIOUS)),
            is_light=False,
        )
        if abs(step) > _LIGHT_STEP or difference.share > _LIGHT_SHARE:
            difference = Difference(difference.moves, difference.may_move, is_light=True)
            # The old picture is of no more use, and its distance from this one is no noise.
            self._picture = picture.astype(np.float32)
        else:
            self._learn_picture(picture, difference.moves, seconds)
            self._learn_noise(away, seconds, tracked)
        self._n_seen += 1
        return difference

    def _gain(self, away: _Map) -> np.float32:
        """Return how much noisier than usual this picture is as a whole, 1..4.

        It is dusk and the sensor's gain goes up, or the encoder has just sent a key frame.
        """
        usual = np.maximum(self._noise[::_EVERY, ::_EVERY], np.float32(1e-3))
        ratio = float(np.median(away[::_EVERY, ::_EVERY] / usual)) / _MEDIAN_OVER_MEAN
        return np.float32(min(max(ratio, 1.0), _MOST_GAIN))

    def _learn_picture(self, picture: Plane, moves: Mask, seconds: float) -> None:
        self._glimpse_age_s += seconds
        weight = max(self._first_weight(), _weight(seconds, _PICTURE_S))
        if moves.any():
            stands = self._has_settled(picture, seconds)
            weights = np.full(picture.shape, weight, np.float32)
            weights[moves & ~stands] = _weight(seconds, _PASSING_S)
            weights[moves & stands] = _weight(seconds, _SETTLING_S)
            self._picture += weights * (picture - self._picture)
        else:
            self._unchanged_s.fill(0.0)
            cv2.accumulateWeighted(picture, self._picture, weight)
        if self._glimpse_age_s >= _GLIMPSE_S:
            self._glimpse, self._glimpse_age_s = picture, 0.0

    def _has_settled(self, picture: Plane, seconds: float) -> Mask:
        """Return where nothing has changed for a while."""
        changed, _ = _distance(picture, self._glimpse)
        limit = np.maximum(self._noise * np.float32(_CERTAINTY), np.float32(_LEAST_CERTAIN))
        self._unchanged_s += np.float32(seconds)
        self._unchanged_s[changed > limit] = 0.0
        return np.asarray(self._unchanged_s >= _SETTLED_S, np.bool_)

    def _learn_noise(self, away: _Map, seconds: float, tracked: Mask | None) -> None:
        if not self.is_sure:
            # Whatever moves in the first pictures must not pass for noise, so all pixels begin
            # with what is usual in the picture.
            usual = np.median(away[::_EVERY, ::_EVERY]) / np.float32(_MEDIAN_OVER_MEAN)
            self._noise += np.float32(self._first_weight()) * (usual - self._noise)
            return
        news = np.minimum(away, self._noise * np.float32(_MOST_NEWS) + np.float32(0.5))
        news -= self._noise
        news *= np.float32(_weight(seconds, _NOISE_S))
        if tracked is not None:
            news[tracked] *= np.float32(_NOISE_S / _TRACKED_NOISE_S)
        self._noise += news

    def _first_weight(self) -> float:
        """Return the weight that makes the first averages plain means."""
        return 0.0 if self.is_sure else 1.0 / (self._n_seen + 1)


def _distance(picture: Plane, other: Plane | _Map) -> tuple[_Map, float]:
    """Return the distance of each pixel from another picture, and the step between the two.

    A cloud or the exposure shifts all pixels alike; that is the step, and is taken off. Averaging
    over 3 x 3 takes two thirds off the noise, and less off anything larger than a pixel.
    """
    signed = np.asarray(cv2.subtract(picture, other, dtype=cv2.CV_32F), np.float32)
    step = float(np.median(signed[::_EVERY, ::_EVERY]))
    signed -= np.float32(step)
    return np.abs(np.asarray(cv2.blur(signed, (3, 3)), np.float32)), step


def _weight(seconds: float, time_constant_s: float) -> float:
    return 1.0 - exp(-seconds / time_constant_s)
