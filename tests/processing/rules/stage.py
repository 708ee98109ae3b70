"""A camera whose things stand where a test says, looked at five times a second."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np

from processing.rules.happening import Happening
from processing.rules.rulebook import Rulebook
from processing.vision.detections import Detections
from processing.wire.scene import Condition, Line, Rule, Scene, Zone

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
LABELS = ("person", "car", "backpack")
WIDTH, HEIGHT = 1000, 500
GATE = Zone(
    zone_id=UUID(int=1), name="Gate", polygon=((0.2, 0.2), (0.6, 0.2), (0.6, 0.9), (0.2, 0.9))
)
FENCE = Line(line_id=UUID(int=2), name="Fence", start=(0.5, 1.0), end=(0.5, 0.0))
"""Looking up along it, its right is the picture's right."""
EVERY_S = 0.2
IN_GATE = (300.0, 300.0)
OUTSIDE = (900.0, 300.0)


@dataclass(frozen=True)
class Thing:
    """Its foot is at (x, y); pixels."""

    track: int
    x: float
    y: float
    label: int = 0
    score: float = 0.8
    width: float = 40.0
    height: float = 80.0


def seen(things: Iterable[Thing]) -> Detections:
    """Return what a tracker would say of these."""
    rows = list(things)
    boxes = [(t.x - t.width / 2, t.y - t.height, t.x + t.width / 2, t.y) for t in rows]
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([t.score for t in rows], np.float32),
        np.array([t.label for t in rows], np.int32),
        np.array([t.track for t in rows], np.int64),
    )


def rule(condition: Condition, *, name: str = "Tell me", number: int = 9, **more: object) -> Rule:
    """Return a rule; `more` are its other fields."""
    return Rule(rule_id=UUID(int=number), name=name, condition=condition, **more)  # type: ignore[arg-type]


def scene(*rules: Rule) -> Scene:
    """Return the gate, the fence, and these rules."""
    return Scene(zones=(GATE,), lines=(FENCE,), rules=rules)


@dataclass
class Stage:
    """Plays frames to the rules of one camera; `at` is the time of the next."""

    rules: Sequence[Rule]
    at: datetime = START
    told: list[Happening] = field(default_factory=list)
    n_ids: int = 0

    def __post_init__(self) -> None:
        self.book = Rulebook(
            scene(*self.rules), labels=LABELS, camera_name="Quay", new_id=self._new_id
        )

    def play(
        self, *things: Thing, seconds: float = EVERY_S, tampered: str | None = None
    ) -> list[Happening]:
        """Show these things for that long; return what was told."""
        told: list[Happening] = []
        for _ in range(max(1, round(seconds / EVERY_S))):
            told += self.show(things, tampered=tampered)
        return told

    def show(self, things: Iterable[Thing], *, tampered: str | None = None) -> list[Happening]:
        """Show one frame; return what was told of it."""
        told = self.book.look(
            seen(things), width=WIDTH, height=HEIGHT, at=self.at, tampered=tampered
        )
        self.told += told
        self.at += timedelta(seconds=EVERY_S)
        return told

    def phases(self) -> list[str]:
        """Return the phases of all that was told."""
        return [happening.phase for happening in self.told]

    def _new_id(self) -> UUID:
        self.n_ids += 1
        return UUID(int=1000 + self.n_ids)


def seconds_in(at: datetime) -> float:
    """Return how long after the beginning that was."""
    return round((at - START).total_seconds(), 3)
