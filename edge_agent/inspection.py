"""One frame on its way through the network, whole or in pieces."""

import threading
import time
from typing import Final

from edge_agent.duty import Network
from processing.inference.detector import InferenceFailed
from processing.pipeline.tiling import Crop, merge
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.wire.camera import Region


class Inspection:
    """Pieces are begun by one thread, and answered by any, in any order."""

    def __init__(
        self, frame: Frame, crops: tuple[Crop, ...], network: Network, region: Region
    ) -> None:
        self.frame: Final = frame
        self.region: Final = region
        """What the pieces cover; the camera's may be another by the time of the answer."""
        self.network: Final = network
        """The one that judges it, all of it."""
        self.begun: Final = time.monotonic()
        self.n_begun = 0
        self._crops: Final = crops
        self._answers: list[Detections | InferenceFailed | None] = [None] * len(crops)
        self._lock = threading.Lock()
        self._n_missing = len(crops)

    @property
    def is_begun(self) -> bool:
        """Return whether every piece has been put on the engine."""
        return self.n_begun == len(self._crops)

    @property
    def is_answered(self) -> bool:
        """Return whether every piece has its answer."""
        return self._n_missing == 0

    def next_piece(self) -> Frame:
        """Return the piece that is to be put on the engine next; count it once it is."""
        return self._crops[self.n_begun].cut(self.frame)

    def answer(self, number: int, answer: Detections | InferenceFailed) -> bool:
        """Take the answer of a piece; return whether it was the last that was missing."""
        with self._lock:
            self._answers[number] = answer
            self._n_missing -= 1
            return self._n_missing == 0

    def give_up(self, reason: str) -> bool:
        """Begin no more pieces; return whether no answer is missing now."""
        is_last = False
        while not self.is_begun:
            self.n_begun += 1
            is_last = self.answer(self.n_begun - 1, InferenceFailed(reason))
        return is_last

    def verdict(self) -> Detections | InferenceFailed:
        """Return what is in the whole frame, or why one of its pieces could not be looked at."""
        parts: list[tuple[Crop, Detections]] = []
        for crop, answer in zip(self._crops, self._answers, strict=True):
            if not isinstance(answer, Detections):
                return answer or InferenceFailed("it was not looked at")
            parts.append((crop, answer))
        return merge(parts)
