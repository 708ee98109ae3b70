"""An event loop whose clock jumps to whatever is next, and what judges and decodes on it."""

import asyncio
import random
import selectors
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from processing.inference.detector import InferenceFailed
from processing.inference.input_spec import InputSpec
from processing.tier.contract import BadInquiry, Pixels
from processing.tier.judging.decoding import Decoded, Size
from processing.tier.judging.judges import Finding, OnJudged
from processing.vision.detections import Detections
from processing.vision.frame import Frame

SPEC = InputSpec(
    tensor="image",
    width=64,
    height=64,
    colour="bgr",
    mean=(0.0, 0.0, 0.0),
    scale=(1.0, 1.0, 1.0),
    resize="stretch",
)
SIZE = Size(64, 48)
FRAME = Frame(
    np.zeros((48, 64), np.uint8),
    np.zeros((24, 32), np.uint8),
    np.zeros((24, 32), np.uint8),
    captured_at=datetime.fromtimestamp(0, UTC),
)
THING = Detections(
    np.array([[1, 2, 30, 40]], np.float32), np.array([0.9], np.float32), np.array([0], np.int32)
)
_THREADS_S = 20.0


class _Jump(selectors.SelectSelector):
    """Waits for nothing: time goes on by as much as would have been waited."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None:
            self.now_s += max(0.0, timeout)
            return super().select(0)
        # For a thread, if for anything: there is nothing else that it could wait for.
        if not (ready := super().select(_THREADS_S)):
            raise RuntimeError("everything waits, and nothing will ever happen")
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """No time passes but by waiting, and no waiting takes any."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now_s


@dataclass
class VirtualDecoding:
    """A `Decoding` that takes as long as it is told to; a picture ! is none, ? trips it."""

    takes_s: float = 0.001
    n_at_once: int = 4
    n_decoded: int = 0
    _room: asyncio.Semaphore | None = None

    async def decode(self, picture: bytes | Pixels, spec: InputSpec) -> Decoded:
        self._room = self._room or asyncio.Semaphore(self.n_at_once)
        async with self._room:
            await asyncio.sleep(self.takes_s)
        if isinstance(picture, bytes) and picture.startswith(b"!"):
            raise BadInquiry("no picture")
        if picture == b"?":
            raise ZeroDivisionError
        self.n_decoded += 1
        return Decoded(FRAME, SIZE)


@dataclass
class VirtualDevice:
    """What judges run on: one batch at a time, of whichever judge."""

    free_s: float = 0.0


@dataclass
class VirtualJudge:
    """A `Judge` that takes some time a batch and some a picture, as a GPU does.

    With `scatter`, the sigma of a lognormal distribution, no two batches take the same, and one in
    a hundred takes eight times as long.
    """

    batch_s: float = 0.005
    picture_s: float = 0.0006
    scatter: float = 0.0
    max_batch: int = 32
    n_parallel: int = 1
    memory_bytes: int = 1000
    finds: Finding = field(default_factory=lambda: THING)
    is_hung: bool = False
    is_closed: bool = False
    sizes: list[int] = field(default_factory=list)
    device: VirtualDevice = field(default_factory=VirtualDevice)
    _chance: random.Random = field(default_factory=lambda: random.Random(5))

    def submit(self, frames: Sequence[Frame], on_judged: OnJudged) -> None:
        loop = asyncio.get_running_loop()
        assert not self.is_closed
        assert 0 < len(frames) <= self.max_batch
        self.sizes.append(len(frames))
        if self.is_hung:
            return
        # One device: batches in flight at once only wait for each other.
        takes_s = (self.batch_s + self.picture_s * len(frames)) * self._factor()
        self.device.free_s = max(loop.time(), self.device.free_s) + takes_s
        loop.call_at(self.device.free_s, on_judged, [self.finds] * len(frames))

    def close(self) -> None:
        self.is_closed = True

    def _factor(self) -> float:
        if not self.scatter:
            return 1.0
        hiccup = 8.0 if self._chance.random() < 0.01 else 1.0
        return hiccup * self._chance.lognormvariate(-0.5 * self.scatter**2, self.scatter)

    @property
    def pictures_per_s(self) -> float:
        hiccups = 1.07 if self.scatter else 1.0
        return self.max_batch / (self.batch_s + self.picture_s * self.max_batch) / hiccups


def failing(reason: str = "the device is gone") -> InferenceFailed:
    return InferenceFailed(reason)
