"""What a pipeline asks of an engine. `Engine` is one; `FakeEngine` is another, for tests."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from processing.vision.detections import Detections
from processing.vision.frame import Frame


class InferenceFailed(Exception):
    """This one frame could not be looked at; the next may be. The text says why."""


OnDone: TypeAlias = Callable[[Detections | InferenceFailed], None]
"""Called once per accepted frame, on a thread of the engine; must return quickly, never raise."""

Embedding: TypeAlias = NDArray[np.float16]
"""(d,), of length 1: what the network's backbone makes of a whole picture. Only embeddings of the
same network may be compared; the nearer their product is to 1, the more alike the pictures."""


class Detector(Protocol):
    """Looks at frames. All methods may be called from any thread."""

    @property
    def device(self) -> str:
        """Return what runs the network now, as OpenVINO names it; several joined by +."""

    def detect(self, frame: Frame) -> Detections:
        """Return what is in the frame; wait for a free request. Raise `InferenceFailed`."""

    def embed(self, frame: Frame) -> Embedding | None:
        """Return the frame's embedding, None if the network has none to give.

        It is an inference of its own: for samples, not for every frame. It waits for a free
        request. Raise `InferenceFailed`.
        """

    def submit(self, frame: Frame, on_done: OnDone) -> bool:
        """Start looking; False (and nothing happens) when all requests are busy. Never waits."""

    def wait(self) -> None:
        """Return once every accepted frame has been answered."""

    def close(self) -> None:
        """Answer what was accepted, then free everything. Later calls are refused."""
