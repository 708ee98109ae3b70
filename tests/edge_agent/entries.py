"""Entries of the outbox, and a place to put problems, for the agent's tests."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from processing.wire.messages import EventRaised, Result, SampleOffered
from processing.wire.packed import PackedDetection, pack

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CAMERA = UUID(int=7)
BUNDLE = bytes(range(16))


def result(n: int = 0, *, n_detections: int = 1) -> Result:
    """Return the n-th of a camera's results."""
    found = [PackedDetection(0.1, 0.2, 0.3, 0.4, 0.9, 2, 5)] * n_detections
    at = NOW + timedelta(milliseconds=n)
    return Result(CAMERA, at, BUNDLE, pack(found), ((2, 1),), 12.5)


def event(title: str = "The camera is gone", *, is_alert: bool = True) -> EventRaised:
    return EventRaised(
        kind="camera_unreachable",
        occurred_at=NOW,
        title=title,
        camera_id=CAMERA,
        severity="warning" if is_alert else "info",
    )


def sample(n: int = 0, *, n_bytes: int = 1000) -> SampleOffered:
    return SampleOffered(
        camera_id=CAMERA,
        captured_at=NOW + timedelta(milliseconds=n),
        bundle=BUNDLE,
        detections=b"",
        reason="random",
        score=0.3,
        width=64,
        height=48,
        jpeg=b"\xff\xd8" + bytes(n_bytes) + b"\xff\xd9",
    )


class Noticed:
    """Collects problems."""

    def __init__(self) -> None:
        self.open: dict[str, str] = {}
        self.ever: list[str] = []

    def problem(self, key: str, text: str) -> None:
        self.open[key] = text
        self.ever.append(key)

    def solved(self, key: str) -> None:
        self.open.pop(key, None)


def wait_until(condition: Callable[[], object], *, timeout_s: float = 60.0) -> None:
    """Return once the condition holds; fail if that takes unreasonably long."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.005)
