"""Notices that somebody has been at the camera: covered, turned away, out of focus, or looped.

Whatever can happen by itself takes its time or is over soon, so nothing is told that comes
gradually, as night and fog do, or that goes within twenty seconds, as a truck at the kerb does.
"""

from datetime import datetime
from math import exp, log
from typing import Final, Literal

import numpy as np

from processing.pipeline.features import ImageFeatures
from processing.pipeline.impression import Impression
from processing.vision.frame import Frame, Plane

Tampering = Literal["covered", "moved", "defocused", "frozen picture"]
_Suspicion = Literal["covered", "moved", "defocused", "unclear"]

_EVERY_S: Final = 0.24
_LONGEST_STEP_S: Final = 5.0
"""What a frame after a long silence, or a clock that jumped, counts for."""
_LEARNT_S: Final = 10.0
_RECENT_S: Final = 3.0
_BEFORE_S: Final = 20.0
_USUAL_S: Final = 120.0
_UNCLEAR_S: Final = 600.0
"""How fast averages follow: of now, of a moment ago, of always, of always while in doubt."""
_RAISE_S: Final = 20.0
_CLEAR_S: Final = 3.0
_NEW_VIEW_S: Final = 60.0
"""A view that stays so long is the new one."""

_FALL: Final = 0.3
"""Of the usual strength of edges, lost from one moment to the next."""
_FEW_EDGES: Final = 0.25
_SAME_COARSE: Final = 0.6
_SAME_EDGES: Final = 0.35
_STEADY_EDGES: Final = 0.5
_SOFT: Final = 0.3
"""Of the usual sharpness."""
_NO_EDGES: Final = 0.3
"""Steps of luma a pixel: what was as empty as this before cannot lose its edges."""

_STILL_S: Final = 10.0
_TIMES_LONGEST: Final = 3.0
_ALIVE: Final = 0.5
"""Share of the time in which no two pictures were the same."""
_REMEMBERED_S: Final = 1200.0
_SAMPLE_ROWS: Final = 90


class TamperWatch:
    """Of one camera. Call `look` with every frame, in order of time."""

    def __init__(self) -> None:
        self._before_at: datetime | None = None
        self._waited_s = 0.0
        self._view: _View | None = None
        self._pulse = _Pulse()
        self._held_s: dict[_Suspicion, float] = {}
        self._quiet_s = 0.0
        self._told: Tampering | None = None

    def look(self, frame: Frame, features: ImageFeatures, at: datetime) -> Tampering | None:
        """Return what is wrong with the camera's picture, as long as it is.

        Most calls return what the last one did: four pictures a second are enough.
        """
        seconds = 0.0 if self._before_at is None else (at - self._before_at).total_seconds()
        self._before_at = at
        # Some of a step over what has been waited for, so that any rate comes to about the same.
        self._waited_s += min(max(seconds, 0.0), _LONGEST_STEP_S)
        if self._view is not None and self._waited_s < _EVERY_S:
            return self._told
        seconds, self._waited_s = self._waited_s, 0.0
        self._told = self._judge(frame.y, _log_sharpness(features, frame.width), seconds)
        return self._told

    def _judge(self, luma: Plane, sharpness: float, seconds: float) -> Tampering | None:
        is_frozen = self._pulse.is_gone(luma, seconds)
        if self._view is None or self._view.shape != luma.shape:
            self._view = _View(luma, sharpness)
            self._held_s.clear()
            return None
        suspicion = self._view.suspect(luma, sharpness, seconds)
        told: Tampering | None = None if self._told == "frozen picture" else self._told
        if told == "moved" and self._view.steady_s >= _NEW_VIEW_S:
            self._view = _View(luma, sharpness)
            self._held_s.clear()
            told = None
        else:
            told = self._raised(told, suspicion, seconds)
        return "frozen picture" if is_frozen else told

    def _raised(
        self, told: Tampering | None, suspicion: _Suspicion | None, seconds: float
    ) -> Tampering | None:
        """Return what to tell: what was suspected long enough, until it was not for a while."""
        for each in ("covered", "moved", "defocused"):
            held = self._held_s.get(each, 0.0)
            step = seconds if each == suspicion else -2.0 * seconds
            self._held_s[each] = min(max(held + step, 0.0), _RAISE_S)
        if suspicion is not None and suspicion != "unclear":
            self._quiet_s = 0.0
            return suspicion if self._held_s[suspicion] >= _RAISE_S else told
        self._quiet_s += seconds
        is_over = suspicion is None and self._quiet_s >= _CLEAR_S
        return None if is_over else told


class _View:
    """What a camera sees: now, a moment ago, and usually."""

    def __init__(self, luma: Plane, sharpness: float) -> None:
        self.shape = luma.shape
        self._recent = self._before = self._usual = Impression.of(luma)
        self._recent_sharpness = self._usual_sharpness = sharpness
        self._seen_s = 0.0
        self._has_fallen = False
        self.steady_s = 0.0
        """How long it has shown the same, whether that is the usual or not."""

    def suspect(self, luma: Plane, sharpness: float, seconds: float) -> _Suspicion | None:
        """Return what is wrong just now, and learn the view unless something is."""
        now = Impression.of(luma)
        self._recent = self._recent.towards(now, _weight(seconds, _RECENT_S))
        self._before = self._before.towards(now, _weight(seconds, _BEFORE_S))
        self._recent_sharpness += _weight(seconds, _RECENT_S) * (sharpness - self._recent_sharpness)
        is_steady = now.likeness(self._recent) >= _STEADY_EDGES
        self.steady_s = self.steady_s + seconds if is_steady else 0.0
        self._seen_s += seconds
        suspicion = None if self._seen_s < _LEARNT_S else self._suspicion(is_steady=is_steady)
        if suspicion is None or suspicion == "unclear":
            self._learn(now, sharpness, seconds, suspicion)
        return suspicion

    def _suspicion(self, *, is_steady: bool) -> _Suspicion | None:
        if self._lost_its_edges():
            return "covered"
        is_soft = self._recent_sharpness - self._usual_sharpness < log(_SOFT)
        if is_soft and self._recent.coarse_likeness(self._usual) >= _SAME_COARSE:
            return "defocused"
        if self._recent.likeness(self._usual) < _SAME_EDGES:
            has_edges = self._recent.strength >= _FEW_EDGES * self._usual.strength
            return "moved" if is_steady and has_edges else "unclear"
        return None

    def _lost_its_edges(self) -> bool:
        """Return whether the picture has gone empty all at once, and still is."""
        usual, now = self._usual.strength, self._recent.strength
        if usual < _NO_EDGES:
            return False
        if self._before.strength - now > _FALL * usual:
            self._has_fallen = True
        if now > 2 * _FEW_EDGES * usual:
            self._has_fallen = False
        is_empty = self._has_fallen and now < _FEW_EDGES * usual
        return is_empty and self._recent.coarse_likeness(self._usual) < _SAME_COARSE

    def _learn(
        self, now: Impression, sharpness: float, seconds: float, suspicion: _Suspicion | None
    ) -> None:
        slowly = _UNCLEAR_S if suspicion == "unclear" else _USUAL_S
        # At first a plain average: of 10 s, what comes next is a share of all there is.
        lasts_s = min(slowly, max(self._seen_s, seconds))
        weight = _weight(seconds, lasts_s)
        self._usual = self._usual.towards(now, weight)
        self._usual_sharpness += weight * (sharpness - self._usual_sharpness)


class _Pulse:
    """The sensor's noise, by which no two pictures of a live camera are the same.

    Encoders may smooth it away for a while, so a picture that stands still is only suspicious if
    it never stood still for nearly as long before.
    """

    def __init__(self) -> None:
        self._sample: Plane | None = None
        self._seen_s = 0.0
        self._changing_s = 0.0
        self._longest_s = 0.0
        self._still_s = 0.0
        self._is_gone = False

    def is_gone(self, luma: Plane, seconds: float) -> bool:
        """Return whether the picture, `seconds` after the last, has been the same for too long."""
        step = max(1, luma.shape[0] // _SAMPLE_ROWS)
        sample = luma[::step, ::step].copy()
        if self._sample is not None and np.array_equal(sample, self._sample):
            self._still_s += seconds
        else:
            self._revive(seconds)
        self._sample = sample
        was_alive = self._seen_s >= _LEARNT_S and self._changing_s >= _ALIVE * self._seen_s
        limit = max(_STILL_S, _TIMES_LONGEST * self._longest_s)
        self._is_gone = self._is_gone or (was_alive and self._still_s > limit)
        return self._is_gone

    def _revive(self, seconds: float) -> None:
        if not self._is_gone:
            self._longest_s = max(self._longest_s, self._still_s)
            self._seen_s += self._still_s + seconds
            self._changing_s += seconds
        if self._seen_s > _REMEMBERED_S:
            self._seen_s /= 2
            self._changing_s /= 2
        self._still_s = 0.0
        self._is_gone = False


def _log_sharpness(features: ImageFeatures, width: int) -> float:
    """Return the logarithm of the sharpness, less what contrast and noise add to it.

    A dim picture is not softer than a bright one, and noise is not focus. The variance of the
    Laplacian of white noise is 20 times its own; scaling to 320 wide averages it first.
    """
    averaged = features.noise / max(width / 320.0, 1.0)
    sharpness = max(features.sharpness - 20.0 * averaged**2, 1.0)
    return log(sharpness / max(features.contrast, 0.01) ** 2)


def _weight(seconds: float, time_constant_s: float) -> float:
    return 1.0 - exp(-seconds / time_constant_s) if time_constant_s > 0.0 else 1.0
