"""One picture on its way through a batcher."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from processing.tier.contract import Pixels, Refused, Timings
from processing.tier.judging.decoding import Decoded, Size
from processing.vision.detections import Detections


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge found, in pixels of the picture as it was sent."""

    found: Detections
    timings: Timings


@dataclass(slots=True, kw_only=True, eq=False)
class Case:
    """Instants are of the event loop's clock."""

    picture: bytes | Pixels
    size: Size
    arrived_s: float
    deadline_s: float
    forecast_s: float
    """How long after its arrival it was thought to be answered."""
    verdict: asyncio.Future[Verdict]
    taken_s: float = 0.0
    """When it left the line."""
    n_out: int = 1
    """How many were then out of the line, itself among them."""
    decoded_s: float = 0.0
    decoded: Decoded | None = None
    sent_s: float = 0.0
    """When the judge had it."""
    clock: Callable[[], float] = time.perf_counter
    """For those who want to know what took how long: loops' clocks may count whole milliseconds."""
    _passed: list[float] = field(default_factory=list)
    """When it came, left the line, was decoded and was sent, by `clock`."""

    def __post_init__(self) -> None:
        self._passed.append(self.clock())

    @property
    def is_over(self) -> bool:
        """Return whether nobody waits for it: answered, refused, or its asker has gone."""
        return self.verdict.done()

    def refuse(self, why: Refused) -> None:
        """Tell whoever waits, if anybody does."""
        if not self.is_over:
            self.verdict.set_exception(why)

    def take(self, at_s: float, *, n_out: int) -> None:
        """Note that it has left the line."""
        self.taken_s, self.n_out = at_s, n_out
        self._passed.append(self.clock())

    def note_decoded(self, at_s: float) -> None:
        """Note that it is decoded, or cannot be."""
        self.decoded_s = at_s
        self._passed.append(self.clock())

    def send(self, at_s: float) -> None:
        """Note that the judge has it."""
        self.sent_s = at_s
        self._passed.append(self.clock())

    def answer(self, found: Detections) -> None:
        """Give what was found in the decoded picture to whoever waits, if anybody does."""
        if self.is_over or self.decoded is None:
            return
        arrived_s, taken_s, decoded_s, sent_s = self._passed
        timings = Timings(
            waited_ms=1000.0 * (taken_s - arrived_s + sent_s - decoded_s),
            decode_ms=1000.0 * (decoded_s - taken_s),
            infer_ms=1000.0 * (self.clock() - sent_s),
        )
        self.verdict.set_result(Verdict(self.decoded.to_sent(found), timings))
