"""One judge and its line: who is let in, who is next, and what becomes of them.

All of it runs on one event loop, but for decoding and judging, and no step of it takes long. A
picture that cannot be answered in time is refused before anything was done for it; it is looked at
again when its turn comes, and before it is judged.
"""

import asyncio
from typing import Final

from processing.tier.contract import (
    BadInquiry,
    Inquiry,
    JudgeFailed,
    Overloaded,
    TooLate,
)
from processing.tier.judging.decoding import Size
from processing.tier.queueing.case import Case, Verdict
from processing.tier.queueing.figures import Reason
from processing.tier.queueing.line import Line, Place
from processing.tier.queueing.workbench import Tools, Workbench

MIN_CAP: Final = 64
MAX_CAP: Final = 128
"""Of the line: four batches, within these."""
CAUTION: Final = 1.2
"""So many times the wait that is foreseen must be in a budget: forecasts err."""
STUCK_S: Final = 20.0
"""A judge that has not answered for so long, though it has something to judge, never will."""
LEAST_RETRY_S: Final = 0.05
_NOT_KNOWN: Final = Size(0, 0)
"""Of a picture that is still to come."""


class Batcher:
    """Makes sure that a judge is never idle, and never has more than it can do."""

    def __init__(self, tools: Tools) -> None:
        """Own the judge. Make it on the event loop that all of it is used on."""
        judge = tools.judge
        self.times: Final = tools.times
        self.figures: Final = tools.figures
        self._judge: Final = judge
        self._loop: Final = asyncio.get_running_loop()
        self._clock: Final = tools.clock
        self._line: Final = Line[Case](min(MAX_CAP, max(MIN_CAP, 4 * judge.max_batch)))
        self._bench: Final = Workbench(tools, self._pump)
        self._is_closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def n_waiting(self) -> int:
        return len(self._line)

    @property
    def is_idle(self) -> bool:
        """Return whether there is nothing at all to do."""
        return not self._bench.n_cases and not len(self._line)

    @property
    def wait_s(self) -> float:
        """Return how long one that comes now waits until it is taken up, about."""
        return self.times.forecast_s(len(self._line), is_room=self._bench.has_room)

    async def submit(self, inquiry: Inquiry, size: Size) -> Verdict:
        """Return what is found. Raise a `Refused`; at the latest when the budget has run out."""
        self.figures.n_offered += 1
        place = self._admit(inquiry, size)
        self._pump()
        try:
            verdict = await self._wait(place.item)
        finally:
            self._line.discard(place)
            self._note_idle()
        timings = verdict.timings
        self.figures.n_answered += 1
        self.figures.waited_s += timings.waited_ms / 1000.0
        self.figures.decode_s += timings.decode_ms / 1000.0
        self.figures.infer_s += timings.infer_ms / 1000.0
        return verdict

    def foresee(self, inquiry: Inquiry) -> Overloaded | None:
        """Return why one without its picture yet would be refused, which then counts as refused."""
        try:
            self._refuse_if_closed()
            place = self._place(inquiry, self._foresee(inquiry, _NOT_KNOWN))
            if self._line.has_room_for(place):
                return None
            refused = self._refusal("full", "too many wait already", self.wait_s)
        except Overloaded as error:
            refused = error
        self.figures.n_offered += 1
        return refused

    async def close(self) -> None:
        """Refuse what comes, answer what was taken in, then free the judge."""
        self._is_closed = True
        await self._idle.wait()
        await asyncio.to_thread(self._judge.close)

    def give_up(self) -> None:
        """Refuse whatever waits: nobody can wait for it any longer."""
        for place in list(self._line):
            self._line.discard(place)
            place.item.refuse(self._refusal("stopping", "the tier is stopping", 1.0))

    async def _wait(self, case: Case) -> Verdict:
        try:
            async with asyncio.timeout_at(case.deadline_s):
                return await case.verdict
        except (TimeoutError, TooLate) as error:
            self.figures.n_late += 1
            if isinstance(error, TooLate):
                raise
            raise TooLate("its budget ran out before it was judged") from error
        except asyncio.CancelledError:
            self.figures.n_cancelled += 1
            raise
        except BadInquiry:
            self.figures.n_bad += 1
            raise
        except JudgeFailed:
            self.figures.n_failed += 1
            raise
        finally:
            if case.is_over and not case.verdict.cancelled():
                case.verdict.exception()  # heard: asyncio complains of what nobody hears

    def _admit(self, inquiry: Inquiry, size: Size) -> Place[Case]:
        """Line it up, if it can be done in time. Raise `Overloaded`."""
        self._refuse_if_closed()
        place = self._place(inquiry, self._foresee(inquiry, size))
        leaving = self._line.add(place)
        if leaving is place:
            raise self._refusal("full", "too many wait already", self.wait_s)
        if leaving is not None:
            message = "others, who had less of it or are in more of a hurry, came in its stead"
            leaving.item.refuse(self._refusal("full", message, self.wait_s))
        self._idle.clear()
        return place

    def _place(self, inquiry: Inquiry, case: Case) -> Place[Case]:
        return Place(
            item=case,
            tenant=inquiry.tenant,
            urgency=inquiry.urgency,
            deadline_s=case.deadline_s,
        )

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise self._refusal("stopping", "this version is being unloaded", LEAST_RETRY_S)
        if self._bench.n_batches and self._loop.time() - self._bench.heard_s > STUCK_S:
            raise self._refusal("stuck", "its judge no longer answers", STUCK_S)

    def _foresee(self, inquiry: Inquiry, size: Size) -> Case:
        """Return the case, if it can be done in time. Raise `Overloaded`."""
        now, budget_s = self._loop.time(), inquiry.budget_ms / 1000.0
        deadline_s = now + budget_s
        n_ahead = self._line.n_ahead(
            tenant=inquiry.tenant, urgency=inquiry.urgency, deadline_s=deadline_s
        )
        wait_s = self.times.forecast_s(n_ahead, is_room=self._bench.has_room)
        serve = self.times.serve.of(self._bench.n_with_next)
        # Where nobody else waits, a try that is in vain costs nobody anything.
        takes_s = CAUTION * wait_s + (serve.high_s if wait_s else serve.mean_s)
        # One that finds nobody is tried in any case: a bad minute is not to be believed for ever.
        if takes_s > budget_s and not self.is_idle:
            message = f"it would take {1000 * takes_s:.0f} ms of its {inquiry.budget_ms:.0f}"
            raise self._refusal("hopeless", message, self.wait_s)
        return Case(
            picture=inquiry.picture,
            size=size,
            arrived_s=now,
            deadline_s=deadline_s,
            forecast_s=wait_s + serve.mean_s,
            verdict=self._loop.create_future(),
            clock=self._clock,
        )

    def _pump(self) -> None:
        """Let in whom there is room for, and tell those who are too late."""
        soonest_s = self._loop.time() + self._least_s()
        for place in self._line.drop(lambda place: place.deadline_s < soonest_s):
            place.item.refuse(TooLate("its budget ran out while it waited"))
        while self._bench.has_room and (next_ := self._line.take()) is not None:
            self._bench.take(next_.item)
        self._note_idle()

    def _least_s(self) -> float:
        """Return what one whose turn has come must have left, as `_foresee` would have it."""
        serve = self.times.serve.of(self._bench.n_with_next)
        if not self._bench.n_cases:
            return 0.0
        is_room_for_all = len(self._line) <= self._bench.n_places - self._bench.n_cases
        return serve.mean_s if is_room_for_all else serve.high_s

    def _note_idle(self) -> None:
        if self.is_idle:
            self._idle.set()

    def _refusal(self, reason: Reason, message: str, retry_after_s: float) -> Overloaded:
        self.figures.refused[reason] += 1
        return Overloaded(message, retry_after_s=max(LEAST_RETRY_S, retry_after_s))
