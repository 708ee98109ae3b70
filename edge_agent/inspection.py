"""One frame on its way through the network, whole or in pieces, or through the cloud."""

import threading
import time
from typing import Final

from edge_agent.duty import Network
from edge_agent.overflow.errand import Answered, Tongue, TurnedAway, Verdict
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
        self.is_away = False
        """The cloud has it."""
        self.is_considered = False
        """It was asked whether the cloud should look as well."""
        self._cloud: Verdict | None = None

    @property
    def is_begun(self) -> bool:
        """Return whether every piece has been put on the engine."""
        return self.n_begun == len(self._crops)

    @property
    def is_answered(self) -> bool:
        """Return whether every piece has its answer, and the cloud if it was asked."""
        return not self.is_away and (self._n_missing == 0 or self._cloud is not None)

    @property
    def is_judged_here(self) -> bool:
        """Return whether what `verdict` says is the network's own."""
        return not isinstance(self._cloud, Answered)

    @property
    def tongue(self) -> Tongue:
        """Return how what was found is to be told."""
        cloud = self._cloud
        return cloud.tongue if isinstance(cloud, Answered) else Tongue(self.network.bundle)

    def lend(self) -> None:
        """Wait for the cloud."""
        self.is_away = True

    def take_back(self, verdict: Verdict | None) -> None:
        """Take what the cloud says; None: it is the network's turn after all."""
        self._cloud, self.is_away = verdict, False

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

    def verdict(self) -> Detections | InferenceFailed | TurnedAway:
        """Return what is in the whole frame, or why nobody has looked at one of its pieces."""
        if isinstance(self._cloud, Answered):
            return self._cloud.found
        if isinstance(self._cloud, TurnedAway) and self._n_missing:
            return self._cloud
        return self._own_verdict()

    def both_verdicts(self) -> tuple[Detections, Answered] | None:
        """Return what the network and the cloud say, if both have looked at all of the frame."""
        own, cloud = self._own_verdict(), self._cloud
        if isinstance(own, Detections) and isinstance(cloud, Answered):
            return own, cloud
        return None

    def _own_verdict(self) -> Detections | InferenceFailed:
        parts: list[tuple[Crop, Detections]] = []
        for crop, answer in zip(self._crops, self._answers, strict=True):
            if not isinstance(answer, Detections):
                return answer or InferenceFailed("it was not looked at")
            parts.append((crop, answer))
        return merge(parts)
