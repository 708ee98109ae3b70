"""One judge and its line, on a virtual clock: whoever goes, whatever breaks, the rest goes on."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from processing.tier.contract import (
    BadInquiry,
    Inquiry,
    JudgeFailed,
    Overloaded,
    Refused,
    TooLate,
)
from processing.tier.queueing.batcher import STUCK_S, Batcher
from processing.tier.queueing.case import Verdict
from processing.tier.queueing.figures import VersionFigures
from processing.tier.queueing.service_time import ServiceTime
from processing.tier.queueing.workbench import Tools
from tests.processing.tier.virtual import (
    SIZE,
    SPEC,
    THING,
    VirtualDecoding,
    VirtualJudge,
    VirtualLoop,
    failing,
)

JUDGE_S = 0.01
"""One picture's time on the judge that these tests have, one after another."""


def inquiry(budget_ms: float = 1000.0, picture: bytes = b"...") -> Inquiry:
    return Inquiry(picture=picture, model="m", budget_ms=budget_ms, tenant="acme")


def one_by_one() -> VirtualJudge:
    return VirtualJudge(batch_s=JUDGE_S, picture_s=0.0, max_batch=1, n_parallel=1)


@dataclass
class Stage:
    """A batcher and what it works with."""

    batcher: Batcher
    judge: VirtualJudge
    decoding: VirtualDecoding

    def ask(
        self, budget_ms: float = 1000.0, picture: bytes = b"..."
    ) -> "asyncio.Task[Verdict | Refused]":
        """Submit, and make of a refusal a result."""

        async def asked() -> Verdict | Refused:
            try:
                return await self.batcher.submit(inquiry(budget_ms, picture), SIZE)
            except Refused as why:
                return why

        return asyncio.get_running_loop().create_task(asked())


@asynccontextmanager
async def stage(judge: VirtualJudge) -> AsyncIterator[Stage]:
    decoding, times = VirtualDecoding(), ServiceTime()
    times.warm(1, JUDGE_S, turn_s=JUDGE_S)
    clock = asyncio.get_running_loop().time
    batcher = Batcher(Tools(judge, SPEC, decoding, times, VersionFigures(), clock))
    yield Stage(batcher, judge, decoding)
    if not judge.is_hung:
        await batcher.close()
        assert judge.is_closed
        assert batcher.is_idle


def play(scene: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(scene)


def test_it_works() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            verdict = await on.batcher.submit(inquiry(), SIZE)
            assert verdict.found is THING
            assert verdict.timings.decode_ms == pytest.approx(1.0)
            assert verdict.timings.infer_ms == pytest.approx(10.0)
            assert verdict.timings.waited_ms == pytest.approx(0.0)

    play(scene())


def test_one_who_went_away_is_never_decoded() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            asked = [on.ask() for _ in range(10)]
            await asyncio.sleep(JUDGE_S / 2)
            for task in asked[4:9]:
                task.cancel()
            answers = await asyncio.gather(*asked, return_exceptions=True)
            assert sum(isinstance(answer, Verdict) for answer in answers) == 5
            assert on.decoding.n_decoded == len(on.judge.sizes) == 5
            assert on.batcher.figures.n_cancelled == 5

    play(scene())


def test_one_who_went_away_while_it_was_decoded_is_never_judged() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            on.decoding.takes_s = 0.1
            asked = on.ask()
            await asyncio.sleep(0.05)
            asked.cancel()
            await asyncio.sleep(1.0)
            assert on.decoding.n_decoded == 1
            assert on.judge.sizes == []
            assert on.batcher.is_idle

    play(scene())


def test_a_judge_that_fails_costs_one_answer() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            on.judge.finds = failing("the device is gone")
            answer = await on.ask()
            assert isinstance(answer, JudgeFailed)
            assert "the device is gone" in str(answer)
            on.judge.finds = THING
            assert isinstance(await on.ask(), Verdict)
            assert on.batcher.figures.n_failed == 1

    play(scene())


def test_a_picture_that_is_none_costs_nobody_else_anything() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            asked = [on.ask(picture=picture) for picture in (b"good", b"!bad", b"good", b"!!bad")]
            kinds = [type(answer) for answer in await asyncio.gather(*asked)]
            assert kinds == [Verdict, BadInquiry, Verdict, BadInquiry]
            assert on.batcher.figures.n_bad == 2

    play(scene())


def test_a_decoder_that_trips_costs_one_answer() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            asked = [on.ask(picture=picture) for picture in (b"?", b"good")]
            kinds = [type(answer) for answer in await asyncio.gather(*asked)]
            assert kinds == [JudgeFailed, Verdict]

    play(scene())


def test_what_cannot_be_done_in_time_is_refused_at_once() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            asked = [on.ask(budget_ms=200.0) for _ in range(60)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            refused = [task.result() for task in asked if task.done()]
            assert asyncio.get_running_loop().time() == 0.0
            assert 40 <= len(refused) <= 50
            for why in refused:
                assert isinstance(why, Overloaded)
                assert why.retry_after_s > 0.0
            answers = await asyncio.gather(*asked)
            assert sum(isinstance(answer, Verdict) for answer in answers) == 60 - len(refused)
            assert on.decoding.n_decoded == 60 - len(refused)

    play(scene())


def test_what_would_be_refused_is_told_before_its_picture_has_come() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            assert on.batcher.foresee(inquiry(1.0, b"")) is None  # nobody else is there
            asked = [on.ask(budget_ms=200.0) for _ in range(60)]
            await asyncio.sleep(0)
            n_refused = on.batcher.figures.refused["hopeless"]
            assert isinstance(on.batcher.foresee(inquiry(200.0, b"")), Overloaded)
            assert on.batcher.foresee(inquiry(5000.0, b"")) is None
            assert on.batcher.figures.refused["hopeless"] == n_refused + 1
            assert on.batcher.figures.n_offered == 61
            await asyncio.gather(*asked)

    play(scene())


def test_one_in_a_hurry_goes_before_those_with_time() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            patient = [on.ask(budget_ms=5000.0) for _ in range(30)]
            await asyncio.sleep(0)
            assert isinstance(await on.ask(budget_ms=100.0), Verdict)
            assert all(isinstance(each, Verdict) for each in await asyncio.gather(*patient))

    play(scene())


def test_a_line_that_is_full_refuses() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            asked = [on.ask(budget_ms=60_000.0) for _ in range(200)]
            answers = await asyncio.gather(*asked)
            n_answered = sum(isinstance(answer, Verdict) for answer in answers)
            assert 64 <= n_answered <= 70
            assert on.batcher.figures.refused["full"] == 200 - n_answered

    play(scene())


def test_a_bad_minute_is_not_believed_for_ever() -> None:
    """All budgets are shorter than what things took then; the first that finds nobody is tried."""

    async def scene() -> None:
        async with stage(one_by_one()) as on:
            on.judge.batch_s = 5.0
            for _ in range(3):
                await on.ask(budget_ms=10_000.0)
            on.judge.batch_s = JUDGE_S
            assert on.batcher.times.serve.of(1).high_s > 1.0
            answers = [await on.ask(budget_ms=100.0) for _ in range(10)]
            assert all(isinstance(answer, Verdict) for answer in answers)

    play(scene())


def test_an_answer_that_comes_too_late_is_none() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            on.judge.batch_s = 0.5
            began_s = asyncio.get_running_loop().time()
            assert isinstance(await on.ask(budget_ms=100.0), TooLate)
            assert asyncio.get_running_loop().time() - began_s == pytest.approx(0.1)
            assert on.batcher.figures.n_late == 1

    play(scene())


def test_what_became_hopeless_while_it_was_ready_is_not_judged() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            on.judge.batch_s = 0.297
            first = on.ask()
            await asyncio.sleep(0.002)
            others = [on.ask(budget_ms=300.0) for _ in range(2)]
            assert isinstance(await first, Verdict)
            # It is free 4 ms before their deadlines, and takes more.
            assert [type(answer) for answer in await asyncio.gather(*others)] == [TooLate, TooLate]
            assert on.judge.sizes == [1]

    play(scene())


def test_a_judge_that_hangs_leaves_nobody_waiting() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            on.judge.is_hung = True
            answers = await asyncio.gather(*(on.ask(budget_ms=1000.0) for _ in range(10)))
            assert all(isinstance(answer, TooLate) for answer in answers)
            assert asyncio.get_running_loop().time() == pytest.approx(1.0)
            await asyncio.sleep(STUCK_S)
            assert isinstance(await on.ask(), Overloaded)
            assert on.batcher.figures.refused["stuck"] == 1

    play(scene())


def test_pictures_gather_while_the_judge_is_busy() -> None:
    async def scene() -> None:
        judge = VirtualJudge(batch_s=0.1, picture_s=0.0, max_batch=8, n_parallel=1)
        async with stage(judge) as on:
            first = on.ask()
            await asyncio.sleep(0.05)
            others = [on.ask() for _ in range(11)]
            await asyncio.gather(first, *others)
            assert judge.sizes == [1, 8, 3]

    play(scene())


def test_a_batch_does_not_gather_beyond_what_its_first_can_wait() -> None:
    async def scene() -> None:
        judge = VirtualJudge(batch_s=0.01, picture_s=0.0, max_batch=8, n_parallel=2)
        async with stage(judge) as on:
            on.judge.batch_s = 1.0
            busy = on.ask(budget_ms=10_000.0)
            await asyncio.sleep(0.1)
            on.judge.batch_s, on.decoding.n_at_once = 0.01, 1
            on.decoding.takes_s = 0.4
            asked = [on.ask(budget_ms=5_000.0) for _ in range(2)]
            await asyncio.gather(busy, *asked)
            # The second was being decoded, so the first waited for it, and went with it.
            assert judge.sizes == [1, 2]

    play(scene())


def test_closed_it_answers_what_it_took_and_refuses_the_rest() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            asked = [on.ask() for _ in range(5)]
            await asyncio.sleep(0)
            closing = asyncio.create_task(on.batcher.close())
            await asyncio.sleep(0)
            assert isinstance(await on.ask(), Overloaded)
            assert all(isinstance(answer, Verdict) for answer in await asyncio.gather(*asked))
            await closing
            assert on.judge.is_closed

    play(scene())


def test_given_up_it_refuses_what_waits() -> None:
    async def scene() -> None:
        async with stage(one_by_one()) as on:
            asked = [on.ask() for _ in range(10)]
            await asyncio.sleep(0)
            on.batcher.give_up()
            kinds = {type(answer) for answer in await asyncio.gather(*asked)}
            assert kinds == {Verdict, Overloaded}

    play(scene())
