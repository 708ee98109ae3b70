"""Shadow versions judge copies, but only when nobody waits; disagreements are counted."""

import asyncio

import numpy as np
import pytest

from processing.tier.contract import Inquiry
from processing.tier.queueing.batcher import Batcher
from processing.tier.queueing.figures import ModelFigures, VersionFigures
from processing.tier.queueing.service_time import ServiceTime
from processing.tier.queueing.workbench import Tools
from processing.tier.serving.shadows import Copies, Said, Shadow, is_agreed
from processing.vision.detections import Detections
from tests.processing.tier.virtual import (
    SIZE,
    SPEC,
    THING,
    VirtualDecoding,
    VirtualDevice,
    VirtualJudge,
    VirtualLoop,
)

LABELS = ("person", "car")


def found(*things: tuple[float, float, float, int], score: float = 0.9) -> Detections:
    """Return squares (x, y, side, label)."""
    boxes = [(x, y, x + side, y + side) for x, y, side, _ in things]
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(len(things), score, np.float32),
        np.array([label for *_, label in things], np.int32),
    )


def agreed(one: Detections, other: Detections, labels: tuple[str, ...] = LABELS) -> bool:
    return is_agreed(Said(one, LABELS), Said(other, labels))


def test_it_works() -> None:
    assert agreed(found((0, 0, 10, 0), (50, 50, 10, 1)), found((50, 51, 10, 1), (1, 0, 10, 0)))
    assert agreed(found(), found())


@pytest.mark.parametrize(
    "other",
    [
        found(),
        found((0, 0, 10, 1)),
        found((8, 8, 10, 0)),
        found((0, 0, 10, 0), (50, 50, 10, 0)),
        found((0, 0, 10, 0), (0, 0, 10, 0)),
    ],
    ids=["nothing", "another label", "elsewhere", "one more", "the same twice"],
)
def test_a_difference_is_seen(other: Detections) -> None:
    assert not agreed(found((0, 0, 10, 0)), other)
    assert not agreed(other, found((0, 0, 10, 0)))


def test_labels_are_compared_by_name() -> None:
    assert agreed(found((0, 0, 10, 0)), found((0, 0, 10, 1)), ("car", "person"))


def test_what_nobody_is_shown_does_not_count() -> None:
    assert agreed(found(), found((0, 0, 10, 0), score=0.3))


def make_batcher(judge: VirtualJudge) -> Batcher:
    times = ServiceTime()
    times.warm(1, judge.batch_s, turn_s=judge.batch_s)
    return Batcher(Tools(judge, SPEC, VirtualDecoding(), times, VersionFigures()))


async def answers_in_s(*, has_shadow: bool) -> tuple[list[float], ModelFigures]:
    """Return how long answers take to a stream with pauses, and what shadows came to."""
    loop, figures = asyncio.get_running_loop(), ModelFigures()
    device = VirtualDevice()
    main = make_batcher(VirtualJudge(0.01, 0.0, max_batch=1, device=device))
    sees_nothing = Detections.empty()
    shadow = Shadow(
        make_batcher(VirtualJudge(0.05, 0.0, max_batch=1, device=device, finds=sees_nothing)),
        LABELS,
    )
    copies = Copies(lambda: main.is_idle and shadow.batcher.is_idle)
    inquiry = Inquiry(picture=b"...", model="m", budget_ms=500.0, tenant="acme")

    async def ask() -> float:
        began_s = loop.time()
        verdict = await main.submit(inquiry, SIZE)
        took_s = loop.time() - began_s
        if has_shadow:
            copies.offer(inquiry, SIZE, Said(verdict.found, LABELS), shadow, figures)
        return took_s

    asked = []
    for number in range(60):
        asked.append(asyncio.create_task(ask()))
        await asyncio.sleep(0.2 if number % 10 == 9 else 0.005)
    took = await asyncio.gather(*asked)
    await main.close()
    await shadow.batcher.close()
    return took, figures


def test_shadows_never_delay_an_answer() -> None:
    """Both run on one device; pauses are long enough for a copy, and nothing else is."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        alone, _ = runner.run(answers_in_s(has_shadow=False))
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        shadowed, figures = runner.run(answers_in_s(has_shadow=True))
    assert shadowed == pytest.approx(alone)
    assert figures.n_compared >= 5
    assert figures.n_compared + figures.n_not_compared == 60
    # One says that there is a thing, the other that there is none.
    assert len(THING) == 1
    assert figures.n_disagreed == figures.n_compared
    assert figures.disagreement == 1.0


def test_of_no_comparison_there_is_no_share() -> None:
    assert ModelFigures().disagreement is None
