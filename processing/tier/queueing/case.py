"""One picture on its way through a batcher."""

import asyncio
from dataclasses import dataclass

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

    @property
    def is_over(self) -> bool:
        """Return whether nobody waits for it: answered, refused, or its asker has gone."""
        return self.verdict.done()

    def refuse(self, why: Refused) -> None:
        """Tell whoever waits, if anybody does."""
        if not self.is_over:
            self.verdict.set_exception(why)

    def answer(self, found: Detections, *, at_s: float) -> None:
        """Give what was found in the decoded picture to whoever waits, if anybody does."""
        if self.is_over or self.decoded is None:
            return
        timings = Timings(
            waited_ms=1000.0 * (self.taken_s - self.arrived_s + self.sent_s - self.decoded_s),
            decode_ms=1000.0 * (self.decoded_s - self.taken_s),
            infer_ms=1000.0 * (at_s - self.sent_s),
        )
        self.verdict.set_result(Verdict(self.decoded.to_sent(found), timings))
