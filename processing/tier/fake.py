"""A tier that answers what it is told to: for tests of whatever sends pictures to one."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final, TypeAlias

from processing.tier.contract import (
    Answer,
    Capacity,
    Inquiry,
    ModelStatus,
    Overloaded,
    Refused,
    Serving,
    Timings,
    UnknownModel,
)
from processing.vision.detections import Detections

Reply: TypeAlias = Detections | Answer | Refused
"""What the next inquiry is answered; a `Refused` is raised."""

VERSION: Final = "00112233445566778899aabbccddeeff"


class FakeTier:
    """An `InferenceTier` whose answers are a script; it sees nothing once the script is over.

    It answers at once, or after `delay_s`, or once `release` is called if `hold` was. It decodes
    nothing: every picture is `width` x `height`.
    """

    def __init__(
        self,
        script: Iterable[Reply] = (),
        *,
        models: tuple[str, ...] = ("fake",),
        labels: tuple[str, ...] = ("thing",),
        width: int = 64,
        height: int = 48,
        delay_s: float = 0.0,
    ) -> None:
        self.inquiries: list[Inquiry] = []
        """Every one it was asked, in order, those that it refused as well."""
        self.n_cancelled = 0
        """Whose asker did not wait for the answer."""
        self.wanted: list[tuple[Serving, ...]] = []
        """What `serve` was told, in order."""
        self.delay_s = delay_s
        self.wait_ms = 0.0
        """What `capacity` says."""
        self.width: Final = width
        self.height: Final = height
        self._labels = labels
        self._served: dict[str, tuple[str, ...]] = dict.fromkeys(models, (VERSION,))
        self._script = deque(script)
        self._n_waiting = dict.fromkeys(models, 0)
        self._go = asyncio.Event()
        self._go.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_draining = False

    async def submit(self, inquiry: Inquiry) -> Answer:
        """See `InferenceTier`."""
        self.inquiries.append(inquiry)
        if self._is_draining:
            raise Overloaded("the tier is stopping", retry_after_s=1.0)
        version = self._version_for(inquiry)
        reply = self._script.popleft() if self._script else Detections.empty()
        if isinstance(reply, Refused):
            raise reply
        self._n_waiting[inquiry.model] += 1
        self._idle.clear()
        try:
            await self._go.wait()
            await asyncio.sleep(self.delay_s)
        except asyncio.CancelledError:
            self.n_cancelled += 1
            raise
        finally:
            self._n_waiting[inquiry.model] -= 1
            if not any(self._n_waiting.values()):
                self._idle.set()
        return reply if isinstance(reply, Answer) else self._answer(reply, version)

    def capacity(self) -> Sequence[Capacity]:
        """See `InferenceTier`."""
        return [
            Capacity(
                model=model,
                n_waiting=self._n_waiting[model],
                wait_ms=self.wait_ms,
                pictures_per_s=100.0,
            )
            for model in self._served
        ]

    def models(self) -> Sequence[ModelStatus]:
        """See `InferenceTier`."""
        return [
            ModelStatus(
                model=model,
                digest=digest,
                name="fake 1",
                state="ready",
                memory_bytes=1024,
                labels=self._labels,
                input_width=self.width,
                input_height=self.height,
            )
            for model, digests in self._served.items()
            for digest in digests
        ]

    async def serve(self, wanted: Sequence[Serving]) -> None:
        """See `InferenceTier`. Whatever is wanted is ready at once."""
        self.wanted.append(tuple(wanted))
        self._served = {
            serving.model: tuple(version.digest for version in serving.versions)
            for serving in wanted
        }
        for model in self._served:
            self._n_waiting.setdefault(model, 0)

    async def drain(self, timeout_s: float) -> None:
        """See `InferenceTier`. It gives what was held back."""
        self._is_draining = True
        self.release()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), timeout_s)

    def say(self, *replies: Reply) -> None:
        """Add to the script."""
        self._script.extend(replies)

    def hold(self) -> None:
        """Keep answers back from now on."""
        self._go.clear()

    def release(self) -> None:
        """Give the answers that were kept back, and keep none back from now on."""
        self._go.set()

    def _version_for(self, inquiry: Inquiry) -> str:
        versions = self._served.get(inquiry.model, ())
        if not versions or (inquiry.version and inquiry.version not in versions):
            raise UnknownModel(f"nothing is served as {inquiry.model} {inquiry.version}".rstrip())
        return inquiry.version or versions[0]

    def _answer(self, found: Detections, version: str) -> Answer:
        return Answer(
            found=found,
            width=self.width,
            height=self.height,
            version=version,
            labels=self._labels,
            timings=Timings(waited_ms=0.0, decode_ms=0.0, infer_ms=self.delay_s * 1000.0),
        )
