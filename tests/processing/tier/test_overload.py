"""Ten times what can be judged is offered: as much is answered as ever, and in time.

The clock is virtual and the seed fixed, so every run is the same.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

import pytest

from processing.tier.contract import Inquiry, Overloaded, TooLate, Urgency
from processing.tier.queueing.batcher import MAX_CAP, Batcher
from processing.tier.queueing.figures import VersionFigures
from processing.tier.queueing.service_time import ServiceTime
from processing.tier.queueing.workbench import Tools
from tests.processing.tier.virtual import SIZE, SPEC, VirtualDecoding, VirtualJudge, VirtualLoop

WARM_UP_S = 1.0


@dataclass
class Outcome:
    """What became of those that came after the warm-up."""

    offered: Counter[str] = field(default_factory=Counter)
    """By tenant."""
    in_time: Counter[str] = field(default_factory=Counter)
    """Answered within the budget, by tenant."""
    n_refused: int = 0
    n_late: int = 0
    n_beyond: int = 0
    """Answered, but after the budget."""
    longest_line: int = 0

    @property
    def n_offered(self) -> int:
        return sum(self.offered.values())


@dataclass(frozen=True)
class Source:
    """Pictures at random moments."""

    per_s: float
    budgets_ms: tuple[float, ...]
    tenant: str = "acme"
    urgency: Urgency = "interactive"
    from_s: float = 0.0
    for_s: float = float("inf")


@dataclass
class Stage:
    """A batcher on a virtual clock."""

    judge: VirtualJudge
    decoding: VirtualDecoding = field(default_factory=VirtualDecoding)
    outcome: Outcome = field(default_factory=Outcome)
    batcher: Batcher = field(init=False)

    async def run(self, *sources: Source, for_s: float) -> None:
        """Offer what the sources send, and wait for what becomes of it."""
        times = ServiceTime()
        per_s = self.judge.pictures_per_s
        times.warm(self.judge.max_batch, self.judge.max_batch / per_s, turn_s=1.0 / per_s)
        tools = Tools(self.judge, SPEC, self.decoding, times, VersionFigures())
        self.batcher = Batcher(tools)
        async with asyncio.TaskGroup() as group:
            for number, source in enumerate(sources):
                chance = random.Random(number)
                group.create_task(self._offer(group, source, chance, for_s))

    async def _offer(
        self, group: asyncio.TaskGroup, source: Source, chance: random.Random, until_s: float
    ) -> None:
        loop = asyncio.get_running_loop()
        at_s = source.from_s
        until_s = min(until_s, source.from_s + source.for_s)
        while (at_s := at_s + chance.expovariate(source.per_s)) < until_s:
            await asyncio.sleep(at_s - loop.time())
            group.create_task(self._ask(source, chance.choice(source.budgets_ms)))

    async def _ask(self, source: Source, budget_ms: float) -> None:
        loop, outcome = asyncio.get_running_loop(), self.outcome
        began_s = loop.time()
        counted = int(began_s >= WARM_UP_S)
        outcome.offered[source.tenant] += counted
        inquiry = Inquiry(
            picture=b"",
            model="m",
            budget_ms=budget_ms,
            tenant=source.tenant,
            urgency=source.urgency,
        )
        try:
            await self.batcher.submit(inquiry, SIZE)
        except Overloaded:
            outcome.n_refused += counted
        except TooLate:
            outcome.n_late += counted
        else:
            took_ms = 1000.0 * (loop.time() - began_s)
            if took_ms > budget_ms:
                outcome.n_beyond += counted
            else:
                outcome.in_time[source.tenant] += counted
        outcome.longest_line = max(outcome.longest_line, self.batcher.n_waiting)


def play(run: Coroutine[None, None, None]) -> None:
    """Run it on a virtual loop."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(run)


def on_processors(*, scatter: float = 0.0) -> VirtualJudge:
    """Return one that judges four pictures side by side, one a batch, 160 a second."""
    return VirtualJudge(0.00625, 0.0, max_batch=1, n_parallel=4, scatter=scatter)


def on_a_gpu() -> VirtualJudge:
    """Return one that judges up to 32 in a batch, 330 a second."""
    return VirtualJudge(batch_s=0.02, picture_s=0.0024, n_parallel=2)


BUDGETS = (400.0, 400.0, 400.0, 400.0, 400.0, 1000.0, 1000.0, 1000.0, 4000.0)
MEASURED_S = 4.0


@pytest.mark.parametrize("make_judge", [on_processors, on_a_gpu])
@pytest.mark.parametrize(("load", "least"), [(0.5, 0.49), (0.9, 0.87), (2.0, 0.95), (10.0, 0.95)])
def test_goodput_holds_however_much_is_offered(
    make_judge: Callable[[], VirtualJudge], load: float, least: float
) -> None:
    stage = Stage(make_judge())
    capacity = stage.judge.pictures_per_s
    play(stage.run(Source(load * capacity, BUDGETS), for_s=WARM_UP_S + MEASURED_S))
    outcome = stage.outcome
    goodput = sum(outcome.in_time.values()) / MEASURED_S
    offered = outcome.n_offered / MEASURED_S
    assert goodput >= least / load * min(offered, load * capacity)
    assert not outcome.n_beyond
    assert outcome.longest_line <= MAX_CAP
    # Little is done in vain: what is refused is refused before it is decoded.
    assert stage.decoding.n_decoded <= 1.05 * stage.batcher.figures.n_answered + 10


@pytest.mark.parametrize(("load", "least"), [(0.5, 0.47), (0.9, 0.84), (2.0, 0.95), (10.0, 0.90)])
def test_goodput_holds_where_nothing_takes_as_long_as_before(load: float, least: float) -> None:
    """Budgets are a few times what a picture takes, and times scatter by as much."""
    stage = Stage(on_processors(scatter=0.7))
    capacity = stage.judge.pictures_per_s
    play(stage.run(Source(load * capacity, (100.0, 100.0, 400.0)), for_s=WARM_UP_S + 8.0))
    outcome = stage.outcome
    assert sum(outcome.in_time.values()) >= least * capacity * 8.0
    assert not outcome.n_beyond


def test_below_capacity_nobody_is_refused() -> None:
    stage = Stage(on_a_gpu())
    play(stage.run(Source(0.7 * stage.judge.pictures_per_s, BUDGETS), for_s=5.0))
    outcome = stage.outcome
    assert outcome.n_refused + outcome.n_late <= 0.005 * outcome.n_offered


def test_it_is_as_before_once_a_spike_is_over() -> None:
    stage = Stage(on_a_gpu())
    capacity = stage.judge.pictures_per_s
    spike = Source(10 * capacity, BUDGETS, tenant="spike", for_s=1.0)
    play(stage.run(Source(0.7 * capacity, BUDGETS, from_s=1.5), spike, for_s=4.5))
    outcome = stage.outcome
    assert outcome.in_time["acme"] >= 0.99 * outcome.offered["acme"]


@pytest.mark.parametrize("urgency", ["interactive", "batch"])
def test_a_tenant_that_floods_starves_nobody(urgency: Urgency) -> None:
    stage = Stage(on_processors())
    capacity = stage.judge.pictures_per_s
    modest = Source(0.3 * capacity, (400.0,), tenant="modest", urgency=urgency)
    flood = Source(8 * capacity, (400.0,), tenant="flood", urgency=urgency)
    play(stage.run(modest, flood, for_s=WARM_UP_S + MEASURED_S))
    outcome = stage.outcome
    assert outcome.in_time["modest"] >= 0.95 * outcome.offered["modest"]
    assert sum(outcome.in_time.values()) >= 0.95 * capacity * MEASURED_S


def test_batches_get_what_is_left_over() -> None:
    stage = Stage(on_processors())
    capacity = stage.judge.pictures_per_s
    somebody = Source(0.5 * capacity, (400.0,), tenant="somebody")
    batches = Source(5 * capacity, (20_000.0,), tenant="batches", urgency="batch")
    play(stage.run(somebody, batches, for_s=WARM_UP_S + MEASURED_S))
    outcome = stage.outcome
    assert outcome.in_time["somebody"] >= 0.99 * outcome.offered["somebody"]
    assert sum(outcome.in_time.values()) >= 0.95 * capacity * MEASURED_S


def test_every_picture_is_accounted_for() -> None:
    stage = Stage(on_processors())
    play(stage.run(Source(3 * stage.judge.pictures_per_s, (50.0, 400.0)), for_s=2.0))
    figures = stage.batcher.figures
    refused = sum(figures.refused.values())
    assert figures.n_offered == figures.n_answered + figures.n_late + refused
    assert min(figures.n_answered, refused) > 100
    assert stage.batcher.is_idle


def test_forecasts_come_true() -> None:
    """Deadlines that are all alike make a plain line of it, which can be foreseen."""
    stage = Stage(on_processors())
    play(stage.run(Source(2 * stage.judge.pictures_per_s, (500.0,)), for_s=4.0))
    assert stage.batcher.times.error_s < 0.05
    assert stage.batcher.times.turn.mean_s == pytest.approx(1 / stage.judge.pictures_per_s, rel=0.1)
