"""Clips that code makes: things that walk and hide each other, and what a detector says of them.

The truth is what can be seen, at least in part. The detector misses, doubts what is half hidden,
draws boxes a little off, and sees things that are not there. All of it follows from the seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.evaluation.tracking import Sighting
from processing.vision.detections import Detections

WIDTH: Final = 1280.0
HEIGHT: Final = 720.0
_LEAST_VISIBLE: Final = 0.2
"""Of a thing; what shows less of itself nobody could find."""
_BEYOND: Final = 40.0
"""Feet that are further outside the picture are gone; pixels."""
_HAUNTING: Final = 0.3
"""Share of what is not there that is seen in one of a few places, again and again."""
_GRID: Final = 12
"""Visibility is judged at so many by so many points of a box."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to be seen, and how well."""

    n: int
    """Things at once."""
    fps: float = 10.0
    seconds: float = 30.0
    height: float = 110.0
    """Of a thing in the middle of the picture; those nearer, lower down, are taller."""
    aspect: float = 0.42
    """Width over height."""
    speed: float = 1.0
    """Widths of itself that a thing goes in a second, about."""
    wander: float = 0.6
    """How much it changes its way: speeds a second."""
    gone_share: float = 0.0
    """Of the things that leave and are replaced each second; those at the rim always are."""
    misses: float = 0.03
    """Share of what is in full view that is missed."""
    false_per_frame: float = 0.3
    jitter: float = 0.02
    """Standard deviation of a box's edges, in sides of the box."""
    has_pillar: bool = False


SCENES: Final = {
    "crossing": Scene(n=6, height=160.0, speed=1.6),
    "behind_a_pillar": Scene(n=5, height=150.0, speed=1.8, wander=0.2, has_pillar=True),
    "coming_and_going": Scene(n=8, gone_share=0.1, speed=2.0),
    "crowd_of_20": Scene(n=20, height=120.0),
    "crowd_of_100": Scene(n=100, height=70.0),
    "poor_light": Scene(n=12, misses=0.2, false_per_frame=2.0, jitter=0.05),
    "5_fps": Scene(n=10, fps=5.0, speed=2.5, height=110.0),
    "traffic_5_fps": Scene(n=8, fps=5.0, speed=1.6, wander=0.15, aspect=1.6, height=70.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One frame: when, what is there, and what the detector says."""

    seconds: float
    truth: Sighting
    found: Detections


class _World:
    """Things on the ground: feet in pixels, and the way they go."""

    def __init__(self, scene: Scene, dice: np.random.Generator) -> None:
        self._scene = scene
        self._dice = dice
        self._n_born = 0
        self.numbers = np.empty(0, np.int64)
        self.feet = np.empty((0, 2))
        self._ways = np.empty((0, 2))
        self._shapes = np.empty(0)
        self._fill(at_rim=False)

    def step(self, seconds: float) -> None:
        scene, dice = self._scene, self._dice
        widths = self._heights() * scene.aspect
        wander = dice.normal(0.0, scene.wander * scene.speed * seconds**0.5, self._ways.shape)
        self._ways = self._ways + wander * np.array([1.0, 0.4])
        pace = np.hypot(*self._ways.T)
        self._ways *= np.minimum(1.0, 1.8 * scene.speed / np.maximum(pace, 1e-9))[:, None]
        self.feet = self.feet + self._ways * widths[:, None] * seconds
        x, y = self.feet.T
        stays = (np.abs(x - WIDTH / 2.0) < WIDTH / 2.0 + _BEYOND) & (y > 0.25 * HEIGHT)
        stays &= y < HEIGHT + _BEYOND
        stays &= dice.random(len(x)) >= scene.gone_share * seconds
        self.numbers, self.feet = self.numbers[stays], self.feet[stays]
        self._ways, self._shapes = self._ways[stays], self._shapes[stays]
        self._fill(at_rim=True)

    def boxes(self) -> Floats:
        """Return (n, 4), not clipped to the picture."""
        heights = self._heights()
        half = heights * self._scene.aspect / 2.0
        x, y = self.feet.T
        return np.column_stack((x - half, y - heights, x + half, y))

    def _heights(self) -> Floats:
        nearness = 0.5 + self.feet[:, 1] / HEIGHT * 0.8
        result: Floats = self._scene.height * nearness * self._shapes
        return result

    def _fill(self, *, at_rim: bool) -> None:
        n = self._scene.n - len(self.numbers)
        if n <= 0:
            return
        dice, speed = self._dice, self._scene.speed
        x = dice.uniform(0.0, WIDTH, n)
        toward = dice.choice([-1.0, 1.0], n)
        if at_rim:
            x = np.where(toward > 0, -30.0, WIDTH + 30.0)
        ways = np.column_stack(
            (toward * speed * dice.uniform(0.5, 1.4, n), dice.normal(0.0, 0.2 * speed, n))
        )
        feet = np.column_stack((x, dice.uniform(0.3 * HEIGHT, HEIGHT, n)))
        self.numbers = np.append(self.numbers, 1 + self._n_born + np.arange(n))
        self.feet = np.vstack((self.feet, feet))
        self._ways = np.vstack((self._ways, ways))
        self._shapes = np.append(self._shapes, dice.uniform(0.85, 1.15, n))
        self._n_born += n


def make_clip(scene: Scene, *, seed: int) -> Iterator[Shot]:
    """Yield the frames of a scene."""
    dice = np.random.default_rng(seed)
    world = _World(scene, dice)
    pillar = np.array([[0.47 * WIDTH, 0.0, 0.53 * WIDTH, HEIGHT]])
    for n in range(round(scene.seconds * scene.fps)):
        world.step(1.0 / scene.fps)
        boxes = world.boxes()
        visible = _visible(boxes, world.feet[:, 1], pillar if scene.has_pillar else pillar[:0])
        shown = visible >= _LEAST_VISIBLE
        clipped = np.clip(boxes, 0.0, np.array([WIDTH, HEIGHT, WIDTH, HEIGHT]))[shown]
        truth = Sighting(clipped.astype(np.float32), world.numbers[shown])
        yield Shot(n / scene.fps, truth, _detect(scene, clipped, visible[shown], dice))


def _visible(boxes: Floats, nearness: Floats, pillar: Floats) -> Floats:
    """Return the share of each box (n,) that is in the picture and behind nothing nearer."""
    steps = (np.arange(_GRID) + 0.5) / _GRID
    xs = boxes[:, 0, None] + steps * (boxes[:, 2] - boxes[:, 0])[:, None]
    ys = boxes[:, 1, None] + steps * (boxes[:, 3] - boxes[:, 1])[:, None]
    covers = np.vstack((boxes, pillar))
    is_nearer = np.append(nearness, np.full(len(pillar), np.inf))[None, :] > nearness[:, None]
    in_x = (xs[:, None, :] > covers[None, :, 0, None]) & (xs[:, None, :] < covers[None, :, 2, None])
    in_y = (ys[:, None, :] > covers[None, :, 1, None]) & (ys[:, None, :] < covers[None, :, 3, None])
    # How many covers hide each point (n, x, y): a product over the covers, summed.
    hidden = np.einsum("nkx,nky->nxy", (in_x & is_nearer[..., None]).astype(int), in_y.astype(int))
    in_picture_x = (xs > 0.0) & (xs < WIDTH)
    in_picture_y = (ys > 0.0) & (ys < HEIGHT)
    shows = (hidden == 0) & in_picture_x[:, :, None] & in_picture_y[:, None, :]
    result: Floats = shows.mean(axis=(1, 2))
    return result


def _detect(scene: Scene, boxes: Floats, visible: Floats, dice: np.random.Generator) -> Detections:
    """Return what a detector says: doubtful of what is half hidden, and at times mistaken."""
    hidden = 1.0 - visible
    is_found = dice.random(len(boxes)) >= scene.misses + 0.6 * hidden**2
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    off = dice.normal(0.0, scene.jitter, boxes.shape) * (1.0 + 2.0 * hidden)[:, None]
    scores = 0.85 - 0.75 * hidden + dice.normal(0.0, 0.08, len(boxes))
    ghosts, doubts = _ghosts(scene, dice)
    edges = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT])
    xyxy = np.clip(np.vstack(((boxes + off * sides)[is_found], ghosts)), 0.0, edges)
    all_scores = np.clip(np.append(scores[is_found], doubts), 0.01, 0.99)
    return Detections(
        xyxy.astype(np.float32),
        all_scores.astype(np.float32),
        np.zeros(len(xyxy), np.int32),
    )


def _ghosts(scene: Scene, dice: np.random.Generator) -> tuple[Floats, Floats]:
    """Return boxes (k, 4) of what is not there, and their scores; some come back to one place."""
    n = dice.poisson(scene.false_per_frame)
    haunts = np.linspace(0.15, 0.85, 4)[dice.integers(0, 4, n)]
    comes_back = dice.random(n) < _HAUNTING
    x = np.where(comes_back, haunts, dice.random(n)) * WIDTH
    y = np.where(comes_back, 0.4 + 0.4 * haunts, dice.random(n)) * HEIGHT
    height = scene.height * dice.uniform(0.6, 1.2, n)
    half = height * scene.aspect / 2.0
    boxes = np.column_stack((x - half, y - height, x + half, y))
    return boxes, dice.uniform(0.1, 0.6, n)
