"""The same results for every contender."""

import hashlib
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from processing.wire.messages import Result, ResultBatch
from processing.wire.packed import PackedDetection, pack

DETECTIONS: Final = 12
LABELS: Final = tuple(f"class {number}" for number in range(80))
DIGEST: Final = bytes(range(16))
_N_FRAMES: Final = 64
FPS: Final = 10.0


class AgentSpec(msgspec.Struct, frozen=True):
    """An agent of the hub under test."""

    agent_id: UUID
    camera_id: UUID

    @property
    def key(self) -> Ed25519PrivateKey:
        """Return its private key: of a hub that lives for a minute, so it may be derived."""
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(self.agent_id.bytes).digest())


class Tables(msgspec.Struct, frozen=True):
    """What an empty hub has before anything arrives."""

    organization_id: UUID
    bundle_id: UUID
    agents: list[AgentSpec]


def make_frames() -> list[bytes]:
    """Return some frames' worth of packed detections."""
    dice = random.Random(20261122)  # noqa: S311 - the same frames every time
    return [pack(_detection(dice, track) for track in range(DETECTIONS)) for _ in range(_N_FRAMES)]


def _detection(dice: random.Random, track: int) -> PackedDetection:
    left, top = dice.uniform(0, 0.8), dice.uniform(0, 0.8)
    return PackedDetection(
        left, top, left + 0.1, top + 0.2, dice.random(), dice.randrange(6), track + 1
    )


def make_results(
    camera_id: UUID, frames: list[bytes], begun_at: datetime, n: int
) -> Iterator[Result]:
    """Yield what a camera at 10 frames a second gives from `begun_at` on."""
    for number in range(n):
        yield Result(
            camera_id=camera_id,
            captured_at=begun_at + timedelta(seconds=number / FPS),
            bundle=DIGEST,
            detections=frames[number % len(frames)],
            n_started=((0, 1),) if number % 10 == 0 else (),
            latency_ms=40.0,
        )


def make_batches(
    camera_id: UUID, *, epoch: int, begun_at: datetime, n_results: int, per_message: int
) -> Iterator[ResultBatch]:
    """Yield an outbox's worth of batches."""
    results = list(make_results(camera_id, make_frames(), begun_at, n_results))
    for first in range(0, n_results, per_message):
        entries = tuple(results[first : first + per_message])
        yield ResultBatch(epoch=epoch, first_seq=first + 1, entries=entries)
