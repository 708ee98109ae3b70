"""Damaged pictures, thousands of them: each is answered or refused, and none is kept."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import psutil

from processing.inference.bundle import Bundle
from processing.tier.contract import Answer, BadInquiry, Inquiry, ServedVersion, Serving
from processing.tier.judging.openvino_judge import OpenvinoOpener
from processing.tier.local import LocalTier
from tests.processing.tiny_bundle import make_tiny_bundle, picture

N = 10_000
AT_ONCE = 4


def whole_pictures() -> list[bytes]:
    bgr = picture(("red", 2, 3), ("blue", 6, 1), width=200, height=120, cell=16)
    flags = {
        ".jpg": [
            (cv2.IMWRITE_JPEG_QUALITY, 60),
            (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
            (cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
        ],
        ".png": [(cv2.IMWRITE_PNG_COMPRESSION, 9), (cv2.IMWRITE_PNG_BILEVEL, 0)],
    }
    noise = np.random.default_rng(1).integers(0, 255, bgr.shape, np.uint8)
    return [
        cv2.imencode(kind, shown, how)[1].tobytes()
        for kind, ways in flags.items()
        for how in ways
        for shown in (bgr, noise)
    ]


def damaged(chance: random.Random, wholes: list[bytes]) -> bytes:
    """Return one with bytes changed, cut out, doubled, or from another."""
    data = bytearray(chance.choice(wholes))
    for _ in range(chance.randint(1, 4)):
        # Headers are short, and where most can go wrong.
        at = chance.randrange(min(len(data), chance.choice((64, 700, len(data)))) or 1)
        length = chance.choice((1, 2, 4, 64))
        match chance.randrange(6):
            case 0:
                data[at : at + length] = chance.randbytes(length)
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length]
            case 3:
                other = chance.choice(wholes)
                data[at : at + length] = other[at : at + 64]
            case 4:
                data[at : at + length] = bytes([chance.choice((0, 0xFF))] * length)
            case _:
                del data[max(8, at) :]
    return bytes(data)


async def outcome(tier: LocalTier, shown: bytes) -> str:
    inquiry = Inquiry(picture=shown, model="tiny", budget_ms=60_000.0, tenant="acme")
    try:
        answer = await tier.submit(inquiry)
    except BadInquiry:
        return "refused"
    assert isinstance(answer, Answer)
    boxes = answer.found.xyxy
    assert np.all(boxes >= 0.0)
    assert np.all(boxes <= np.array([answer.width, answer.height] * 2))
    return "answered"


async def test_each_is_answered_or_refused_and_memory_stays_flat(
    tmp_path: Path, soaked: Callable[[int], int]
) -> None:
    digest = Bundle.open(make_tiny_bundle(tmp_path / "tiny")).digest.hex()
    tier = LocalTier(tmp_path, OpenvinoOpener(n_requests=2))
    await tier.serve([Serving(model="tiny", versions=(ServedVersion(digest=digest),))])
    chance, wholes, process = random.Random(6), whole_pictures(), psutil.Process()
    counts: Counter[str] = Counter()
    rss: list[int] = []
    for _ in range(soaked(N) // AT_ONCE):
        shown = [damaged(chance, wholes) for _ in range(AT_ONCE)]
        counts.update(await asyncio.gather(*(outcome(tier, each) for each in shown)))
        rss.append(process.memory_info().rss)
    assert min(counts["answered"], counts["refused"]) > len(rss) // 4
    # The first tenth brings in what decoders need for the first time.
    settled = rss[len(rss) // 10]
    assert rss[-1] - settled < 32 * 1024**2
    assert await outcome(tier, wholes[0]) == "answered"
    await tier.drain(10.0)
    assert tier._held_bytes == 0
