"""Pictures whose turn has come: decoded, gathered in batches, judged, answered."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from processing.inference.detector import InferenceFailed
from processing.inference.input_spec import InputSpec
from processing.tier.contract import JudgeFailed, Refused, TooLate
from processing.tier.judging.decoding import Decoding
from processing.tier.judging.judges import Finding, Judge
from processing.tier.queueing.case import Case
from processing.tier.queueing.figures import VersionFigures
from processing.tier.queueing.service_time import ServiceTime

log = structlog.get_logger()

MARGIN_S: Final = 0.002
"""So long before the last moment at which a batch can be sent, it is."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a workbench works with, and what it learns."""

    judge: Judge
    spec: InputSpec
    decoding: Decoding
    times: ServiceTime
    figures: VersionFigures
    clock: Callable[[], float] = time.perf_counter
    """For the timings that answers tell."""


class Workbench:
    """Holds at most `n_places` cases: those with the judge, and the next batch being decoded.

    It calls `on_room` whenever some have left.
    """

    def __init__(self, tools: Tools, on_room: Callable[[], None]) -> None:
        """Make it on the event loop that it is used on."""
        self.n_cases = 0
        judge = tools.judge
        self.n_places: Final = (judge.n_parallel + 1) * judge.max_batch + 1
        self.n_batches = 0
        """With the judge."""
        self._tools: Final = tools
        self._on_room: Final = on_room
        self._loop: Final = asyncio.get_running_loop()
        self._decodings: set[asyncio.Task[None]] = set()
        self._ready: list[Case] = []
        self._n_judging = 0
        self._closing: asyncio.TimerHandle | None = None
        """Sends the batch that gathers, full or not."""
        self._busy_since_s: float | None = None
        """The answer before, if the judge has had all it can have at once ever since."""
        self.heard_s = self._loop.time()
        """When the judge last answered, or had nothing to answer."""

    @property
    def has_room(self) -> bool:
        return self.n_cases < self.n_places

    @property
    def n_with_next(self) -> int:
        """Return how many it will hold when it has taken the next."""
        return min(self.n_cases + 1, self.n_places)

    def take(self, case: Case) -> None:
        """Begin with one; there must be room."""
        self.n_cases += 1
        case.take(self._loop.time(), n_out=self.n_cases)
        task = self._loop.create_task(self._decode(case))
        self._decodings.add(task)
        task.add_done_callback(self._decodings.discard)

    async def _decode(self, case: Case) -> None:
        """Have it decoded, then judged; whatever happens, its place becomes free one day."""
        try:
            case.decoded = await self._tools.decoding.decode(case.picture, self._tools.spec)
        except Refused as why:
            case.refuse(why)
        except Exception:
            # A supervisor: a picture that a decoder trips over costs one answer, not a place.
            log.exception("tier.decoding_failed")
            case.refuse(JudgeFailed("the picture could not be decoded, and nobody knows why"))
        case.note_decoded(self._loop.time())
        if case.decoded is None:
            self._free(1)
            return
        self._tools.figures.n_decoded += 1
        self._tools.times.decode.note(case.size.n_pixels, case.decoded_s - case.taken_s)
        self._ready.append(case)
        self._send()

    def _send(self) -> None:
        """Send batches for as long as the judge has room and waiting would gain nothing."""
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        self._drop_hopeless()
        while self._ready and self.n_batches < self._tools.judge.n_parallel:
            closes_s = self._closes_s()
            if closes_s > self._loop.time():
                self._closing = self._loop.call_at(closes_s, self._send)
                break
            n = self._tools.judge.max_batch
            batch, self._ready = self._ready[:n], self._ready[n:]
            self._judge(batch)

    def _closes_s(self) -> float:
        """Return until when the batch may gather: 0 if it is full, or nothing would join it."""
        n_decoding = self.n_cases - self._n_judging - len(self._ready)
        if len(self._ready) >= self._tools.judge.max_batch or not self.n_batches or not n_decoding:
            return 0.0
        infer_s = self._tools.times.infer.of(len(self._ready)).high_s
        return self._ready[0].deadline_s - infer_s - MARGIN_S

    def _drop_hopeless(self) -> None:
        """Drop what nobody waits for or cannot be judged in time; the earliest deadline first."""
        is_alone = self.n_cases == 1  # which is tried in any case, as by the batcher
        infer_s = 0.0 if is_alone else self._tools.times.infer.of(1).mean_s
        soonest_s = self._loop.time() + infer_s
        staying = []
        for case in sorted(self._ready, key=lambda case: case.deadline_s):
            if case.deadline_s < soonest_s:
                case.refuse(TooLate("its budget ran out while it was decoded"))
            if not case.is_over:
                staying.append(case)
        n_dropped = len(self._ready) - len(staying)
        self._ready = staying
        if n_dropped:
            self.n_cases -= n_dropped
            self._loop.call_soon(self._on_room)

    def _judge(self, batch: list[Case]) -> None:
        now = self._loop.time()
        if not self.n_batches:
            self.heard_s = now
        self.n_batches += 1
        self._n_judging += len(batch)
        frames = []
        for case in batch:
            assert case.decoded is not None
            case.send(now)
            frames.append(case.decoded.frame)

        def on_judged(findings: Sequence[Finding]) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any longer
                self._loop.call_soon_threadsafe(self._answer, batch, findings)

        self._tools.judge.submit(frames, on_judged)

    def _answer(self, batch: list[Case], findings: Sequence[Finding]) -> None:
        now, times, figures = self._loop.time(), self._tools.times, self._tools.figures
        self.heard_s = now
        self.n_batches -= 1
        self._n_judging -= len(batch)
        figures.batches[len(batch)] += 1
        figures.n_judged += len(batch)
        times.infer.note(len(batch), now - batch[0].sent_s)
        if self._busy_since_s is not None and len(batch) == self._tools.judge.max_batch:
            times.turn.note((now - self._busy_since_s) / len(batch))
        for case, finding in zip(batch, findings, strict=True):
            times.serve.note(case.n_out, now - case.taken_s)
            times.note_forecast(case.forecast_s, now - case.arrived_s)
            if isinstance(finding, InferenceFailed):
                case.refuse(JudgeFailed(str(finding)))
            elif now > case.deadline_s:
                case.refuse(TooLate("its budget ran out while it was judged"))
            else:
                case.answer(finding)
        self._free(len(batch))
        self._busy_since_s = now if self.n_batches == self._tools.judge.n_parallel else None

    def _free(self, n: int) -> None:
        self.n_cases -= n
        self._on_room()
        self._send()
