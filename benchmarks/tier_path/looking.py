"""What every server does with a picture: the tier's own decoding, and the engine as agents use it.

So what differs among them is what is around that.
"""

from pathlib import Path
from typing import Final, TypeAlias

from processing.inference.bundle import Bundle
from processing.inference.detector import OnDone
from processing.inference.engine import Engine
from processing.tier.judging.decoding import decode
from processing.vision.detections import Detections
from processing.vision.frame import Frame

Said: TypeAlias = dict[str, list[list[float]] | list[float] | list[int]]


class Looking:
    """A bundle that is looked with, from any thread."""

    def __init__(self, bundle: Path) -> None:
        self._engine: Final = Engine.open(Bundle.open(bundle))
        self.n_at_once: Final = self._engine.n_requests

    def frame(self, picture: bytes) -> Frame:
        """Return the picture, decoded."""
        return decode(picture, self._engine.bundle.manifest.input).frame

    def look(self, frame: Frame) -> Detections:
        """Return what is in it; wait for a free request."""
        return self._engine.detect(frame)

    def begin(self, frame: Frame, on_done: OnDone) -> bool:
        """Start looking; False when all requests are busy."""
        return self._engine.submit(frame, on_done)

    def close(self) -> None:
        """Free everything."""
        self._engine.close()


def as_said(found: Detections) -> Said:
    """Return what was found as JSON has it."""
    return {
        "boxes": found.xyxy.tolist(),
        "scores": found.scores.tolist(),
        "labels": found.labels.tolist(),
    }
