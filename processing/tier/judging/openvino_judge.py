"""Judges on OpenVINO: an engine each, which judges several pictures at once, one in a batch.

On processors, pictures side by side gain more than pictures in one batch, so the engine's slots are
what a batch is elsewhere.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from processing.inference.bundle import Bundle
from processing.inference.detector import InferenceFailed
from processing.inference.engine import Engine, best_artifact
from processing.tier.judging.judges import Finding, OnJudged
from processing.vision.frame import Frame

_COPIES: Final = 2
"""Of the weights: OpenVINO keeps some in the order that its kernels read as well."""
_LAYERS_AT_ONCE: Final = 3
"""How many times its own floats a picture takes while it is judged, about."""
_RUNTIME_BYTES: Final = 16 * 1024 * 1024
"""What any network takes, however small: its plan, its kernels, its threads.

Measured with the default bundle: 33 to 41 MB a version after the first; thought: 50.
"""
_PREPARING: Final = 2
"""Requests that an engine has by default beyond one for each core."""


class OpenvinoJudge:
    """A `Judge` over an engine of its own."""

    max_batch: Final = 1

    def __init__(self, engine: Engine) -> None:
        """Own the engine."""
        self._engine: Final = engine
        self.n_parallel: Final = engine.n_requests
        self.memory_bytes: Final = _weigh(engine.bundle, engine.n_requests)

    def submit(self, frames: Sequence[Frame], on_judged: OnJudged) -> None:
        """See `Judge`."""

        def answer(finding: Finding) -> None:
            on_judged([finding])

        (frame,) = frames
        if not self._engine.submit(frame, answer):
            answer(InferenceFailed("the engine is closed"))

    def close(self) -> None:
        """See `Judge`."""
        self._engine.close()


class OpenvinoOpener:
    """A `JudgeOpener` of OpenVINO's."""

    def __init__(
        self, *, device: str = "CPU", n_requests: int | None = None, cache_dir: Path | None = None
    ) -> None:
        """Open engines on this device; `cache_dir` keeps compiled networks."""
        self._on: Final = device
        self._n_requests: Final = n_requests
        self._cache_dir: Final = cache_dir
        self.device: Final = f"OpenVINO on {device}"

    def weigh(self, bundle: Bundle) -> int:
        """See `JudgeOpener`."""
        return _weigh(bundle, self._n_requests or len(os.sched_getaffinity(0)) + _PREPARING)

    def open(self, bundle: Bundle) -> OpenvinoJudge:
        """See `JudgeOpener`."""
        return OpenvinoJudge(
            Engine.open(
                bundle, device=self._on, n_requests=self._n_requests, cache_dir=self._cache_dir
            )
        )


def _weigh(bundle: Bundle, n_requests: int) -> int:
    weights = sum(file.size for file in best_artifact(bundle.manifest).files)
    spec = bundle.manifest.input
    picture = 4 * 3 * spec.width * spec.height * _LAYERS_AT_ONCE
    return _RUNTIME_BYTES + _COPIES * weights + n_requests * picture
