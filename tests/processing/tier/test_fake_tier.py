"""The tier that tests are told to believe: it does as its script says."""

import asyncio

import numpy as np
import pytest

from processing.tier.contract import Inquiry, Overloaded, ServedVersion, Serving, UnknownModel
from processing.tier.fake import VERSION, FakeTier
from processing.vision.detections import Detections

DIGEST = "ab" * 16
THING = Detections(
    np.array([[1, 2, 30, 40]], np.float32), np.array([0.9], np.float32), np.array([0], np.int32)
)


def inquiry(model: str = "fake", version: str = "") -> Inquiry:
    return Inquiry(picture=b"...", model=model, version=version, budget_ms=100.0, tenant="acme")


async def test_it_works() -> None:
    tier = FakeTier([THING, Overloaded("full", retry_after_s=2.0)])
    answer = await tier.submit(inquiry())
    assert (answer.found, answer.version, answer.labels) == (THING, VERSION, ("thing",))
    with pytest.raises(Overloaded) as refusal:
        await tier.submit(inquiry())
    assert refusal.value.retry_after_s == 2.0
    assert len((await tier.submit(inquiry())).found) == 0
    assert len(tier.inquiries) == 3


async def test_what_is_held_is_answered_once_it_is_let_go() -> None:
    tier = FakeTier()
    tier.hold()
    waiting = [asyncio.create_task(tier.submit(inquiry())) for _ in range(2)]
    await asyncio.sleep(0)
    assert tier.capacity()[0].n_waiting == 2
    waiting[0].cancel()
    tier.release()
    assert (await waiting[1]).version == VERSION
    assert waiting[0].cancelled()
    assert tier.n_cancelled == 1
    assert tier.capacity()[0].n_waiting == 0


async def test_it_serves_what_it_is_told_to() -> None:
    tier = FakeTier()
    await tier.serve([Serving(model="cars", versions=(ServedVersion(digest=DIGEST),))])
    assert (await tier.submit(inquiry("cars"))).version == DIGEST
    for unknown in (inquiry("fake"), inquiry("cars", VERSION)):
        with pytest.raises(UnknownModel):
            await tier.submit(unknown)


async def test_drained_it_answers_what_it_took_and_refuses_the_rest() -> None:
    tier = FakeTier()
    tier.hold()
    waiting = asyncio.create_task(tier.submit(inquiry()))
    await asyncio.sleep(0)
    await tier.drain(1.0)
    assert (await waiting).version == VERSION
    with pytest.raises(Overloaded):
        await tier.submit(inquiry())
