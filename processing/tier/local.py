"""The inference tier in this process: an event loop, threads that decode, and judges."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from processing.tier.contract import (
    MAX_BUDGET_MS,
    Answer,
    BadInquiry,
    Capacity,
    Inquiry,
    ModelStatus,
    Overloaded,
    Pixels,
    Refused,
    Serving,
    TooLate,
    UnknownModel,
)
from processing.tier.judging.decoding import DecodingThreads, Size, read_size
from processing.tier.judging.judges import JudgeOpener
from processing.tier.queueing.batcher import Batcher
from processing.tier.queueing.figures import ModelFigures, TierFigures
from processing.tier.serving.routes import Route, Routes
from processing.tier.serving.shadows import Copies, Said, Shadow
from processing.tier.serving.shelf import Shelf, Version

log = structlog.get_logger()

MEMORY_BYTES: Final = 2 * 1024**3
HELD_BYTES: Final = 256 * 1024**2
_LAST_WORDS_S: Final = 5.0
"""For what judges are at when the time to drain is over."""


class LocalTier:
    """An `InferenceTier`. Make and use it on one event loop."""

    def __init__(
        self,
        folder: Path,
        opener: JudgeOpener,
        *,
        memory_bytes: int = MEMORY_BYTES,
        held_bytes: int = HELD_BYTES,
        n_decoding: int | None = None,
    ) -> None:
        """Serve nothing yet; `folder` holds a folder for each bundle.

        `memory_bytes` is for versions, `held_bytes` for pictures that wait or are being judged.
        """
        self.figures: Final = TierFigures()
        self.model_figures: Final[dict[str, ModelFigures]] = {}
        """By model, of those that are served."""
        self._decoding: Final = DecodingThreads(n_decoding)
        self._shelf: Final = Shelf(folder, opener, self._decoding, memory_bytes=memory_bytes)
        self._routes: Final = Routes(self._shelf)
        self._copies: Final = Copies(self._is_quiet)
        self._max_held_bytes: Final = held_bytes
        self._held_bytes = 0
        self._serving: Final = asyncio.Lock()
        self._draining: Final = asyncio.Event()

    async def submit(self, inquiry: Inquiry) -> Answer:
        """See `InferenceTier`."""
        if self._draining.is_set():
            self.figures.refused["stopping"] += 1
            raise Overloaded("the tier is stopping", retry_after_s=1.0)
        size, route = self._look_at(inquiry)
        if not 0.0 < inquiry.budget_ms <= MAX_BUDGET_MS:
            raise TooLate(f"a budget of {inquiry.budget_ms:g} ms; at most {MAX_BUDGET_MS:g}")
        answer = await self._ask(self._shelf.versions[route.digest], inquiry, size)
        self._offer_copies(route, inquiry, size, answer)
        return answer

    def foresee(self, inquiry: Inquiry) -> Overloaded | None:
        """Return why an inquiry whose picture is still to come would be refused, if it would be.

        It then counts as refused. Whatever else is wrong with it is found out once it is here.
        """
        try:
            version = self._shelf.versions[self._routes.choose(inquiry).digest]
        except Refused:
            return None
        if self._draining.is_set() or version.batcher is None or inquiry.budget_ms <= 0.0:
            return None
        return version.batcher.foresee(inquiry)

    def capacity(self) -> Sequence[Capacity]:
        """See `InferenceTier`. A model that cannot answer now is left out."""
        return self._routes.capacities()

    def models(self) -> Sequence[ModelStatus]:
        """See `InferenceTier`. What is not wanted any more is among them until it is unloaded."""
        return self._routes.statuses()

    def batchers(self) -> dict[str, Batcher]:
        """Return what takes pictures now, by digest, for whoever reads its figures."""
        return {
            digest: version.batcher
            for digest, version in self._shelf.versions.items()
            if version.batcher is not None
        }

    async def serve(self, wanted: Sequence[Serving]) -> None:
        """See `InferenceTier`. It returns once every version is ready, or has failed."""
        async with self._serving:
            if self._draining.is_set():
                return
            self._routes.want(wanted)
            for model in {serving.model for serving in wanted} - self.model_figures.keys():
                self.model_figures[model] = ModelFigures()
            digests = self._routes.wanted
            for digest in digests:
                if self._draining.is_set():
                    return
                await self._shelf.load(digest, wanted=digests)
            needed = self._routes.settle()
            await self._put_away([each for each in self._shelf.versions if each not in needed])
            for model in self.model_figures.keys() - {serving.model for serving in wanted}:
                del self.model_figures[model]

    async def drain(self, timeout_s: float) -> None:
        """See `InferenceTier`."""
        self._draining.set()
        self._copies.stop()
        with suppress(TimeoutError):  # what loads still is left to the end of the process
            async with asyncio.timeout(timeout_s), self._serving:
                self._routes.want(())
        closing = asyncio.ensure_future(self._put_away(list(self._shelf.versions)))
        await asyncio.wait((closing,), timeout=timeout_s)
        for batcher in self.batchers().values():
            batcher.give_up()
        _, stuck = await asyncio.wait((closing,), timeout=_LAST_WORDS_S)
        if stuck:
            closing.cancel()
            log.error("tier.judge_stuck")
        self._decoding.close()

    async def _put_away(self, digests: Sequence[str]) -> None:
        await asyncio.gather(*(self._shelf.put_away(digest) for digest in digests))

    def _look_at(self, inquiry: Inquiry) -> tuple[Size, Route]:
        """Return what can be known before it is decoded, and who judges it. Raise a `Refused`."""
        try:
            route = self._routes.choose(inquiry)
            return read_size(inquiry.picture), route
        except BadInquiry:
            self.figures.n_bad += 1
            raise
        except UnknownModel:
            self.figures.n_unknown += 1
            raise
        except Overloaded:
            self.figures.refused["loading"] += 1
            raise

    async def _ask(self, version: Version, inquiry: Inquiry, size: Size) -> Answer:
        assert version.batcher is not None
        assert version.manifest is not None
        n_bytes = _n_bytes(inquiry.picture)
        if self._held_bytes + n_bytes > self._max_held_bytes:
            self.figures.refused["memory"] += 1
            retry_after_s = max(0.1, version.batcher.wait_s)
            raise Overloaded("too many bytes of pictures wait", retry_after_s=retry_after_s)
        self._held_bytes += n_bytes
        try:
            verdict = await version.batcher.submit(inquiry, size)
        finally:
            self._held_bytes -= n_bytes
        version.used_s = asyncio.get_running_loop().time()
        return Answer(
            found=verdict.found,
            width=size.width,
            height=size.height,
            version=version.digest,
            labels=version.manifest.labels,
            timings=verdict.timings,
        )

    def _offer_copies(self, route: Route, inquiry: Inquiry, size: Size, answer: Answer) -> None:
        figures = self.model_figures.get(inquiry.model)
        for digest in route.shadows if figures is not None else ():
            assert figures is not None
            version = self._shelf.versions.get(digest)
            if version is None or version.batcher is None or version.manifest is None:
                continue
            shadow = Shadow(version.batcher, version.manifest.labels)
            said = Said(answer.found, answer.labels)
            self._copies.offer(inquiry, size, said, shadow, figures)

    def _is_quiet(self) -> bool:
        return all(batcher.is_idle for batcher in self.batchers().values())


def _n_bytes(picture: bytes | Pixels) -> int:
    return picture.rgb.nbytes if isinstance(picture, Pixels) else len(picture)
