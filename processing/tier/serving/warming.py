"""A judge's first pictures, which nobody waits for: they take longest, and show what it can do."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np

from processing.inference.bundle import BundleUnfit
from processing.inference.detector import InferenceFailed
from processing.inference.input_spec import InputSpec
from processing.tier.judging.judges import Finding, Judge
from processing.tier.queueing.service_time import ServiceTime
from processing.vision.frame import Frame

N_ROUNDS: Final = 3
MOST_S: Final = 120.0
"""All rounds together; a judge that is not warm by then never will be."""
_GREY: Final = 128
_NO_INSTANT: Final = datetime.fromtimestamp(0, UTC)


async def warm_up(judge: Judge, spec: InputSpec) -> ServiceTime:
    """Return how long it takes with one picture, and with as many as it takes at once.

    Raise `BundleUnfit` if it fails on them.
    """
    times = ServiceTime()
    frame = _grey_frame(spec)
    try:
        async with asyncio.timeout(MOST_S):
            for _ in range(N_ROUNDS):
                one_s = await _time_batches(judge, frame, n_batches=1, n=1)
                all_s = await _time_batches(
                    judge, frame, n_batches=judge.n_parallel, n=judge.max_batch
                )
                turn_s = all_s / (judge.n_parallel * judge.max_batch)
                times.warm(judge.max_batch, all_s, turn_s=turn_s)
                times.warm(1, one_s, turn_s=turn_s)
    except TimeoutError as error:
        raise BundleUnfit(f"it has not answered within {MOST_S:.0f} s") from error
    return times


async def _time_batches(judge: Judge, frame: Frame, *, n_batches: int, n: int) -> float:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    answers = [_judge(judge, [frame] * n) for _ in range(n_batches)]
    for findings in await asyncio.gather(*answers):
        for finding in findings:
            if isinstance(finding, InferenceFailed):
                raise BundleUnfit(f"it fails on a grey picture: {finding}")
    return loop.time() - began_s


async def _judge(judge: Judge, frames: Sequence[Frame]) -> Sequence[Finding]:
    loop = asyncio.get_running_loop()
    judged: asyncio.Future[Sequence[Finding]] = loop.create_future()

    def note(findings: Sequence[Finding]) -> None:
        if not judged.done():
            judged.set_result(findings)

    def on_judged(findings: Sequence[Finding]) -> None:
        loop.call_soon_threadsafe(note, findings)

    judge.submit(frames, on_judged)
    return await judged


def _grey_frame(spec: InputSpec) -> Frame:
    height, width = spec.height, spec.width
    halves = (height // 2, width // 2)
    return Frame(
        np.full((height, width), _GREY, np.uint8),
        np.full(halves, _GREY, np.uint8),
        np.full(halves, _GREY, np.uint8),
        captured_at=_NO_INSTANT,
    )
