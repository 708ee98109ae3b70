"""The versions that are loaded: brought from the folder, warmed up, put away; within a memory."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import structlog

from processing.inference.bundle import BadBundle, Bundle
from processing.inference.manifest import Manifest
from processing.tier.judging.decoding import Decoding
from processing.tier.judging.judges import Judge, JudgeOpener
from processing.tier.queueing.batcher import Batcher
from processing.tier.queueing.figures import VersionFigures
from processing.tier.queueing.workbench import Tools
from processing.tier.serving.folder import open_bundle
from processing.tier.serving.warming import warm_up

log = structlog.get_logger()

State: TypeAlias = Literal["loading", "ready", "failed", "unloading"]

RETRY_S: Final = 30.0
"""A version that failed is not tried again sooner: reading one costs something."""
_MB: Final = 1024 * 1024


@dataclass(slots=True, eq=False)
class Version:
    """A version that is wanted, or was and is not put away yet."""

    digest: str
    state: State = "loading"
    reason: str = ""
    """Why it failed, in words."""
    failed_s: float = 0.0
    memory_bytes: int = 0
    manifest: Manifest | None = None
    batcher: Batcher | None = None
    """Takes pictures if, and only if, the version is ready."""
    used_s: float = 0.0
    """When it last judged something."""


class Shelf:
    """Its methods are called one after another, on the event loop. Loading is done on threads."""

    def __init__(
        self, folder: Path, opener: JudgeOpener, decoding: Decoding, *, memory_bytes: int
    ) -> None:
        """`memory_bytes` is what all versions together may hold, by what judges say of themselves.

        Make it on the event loop that it is used on.
        """
        self._folder: Final = folder
        self._opener: Final = opener
        self._decoding: Final = decoding
        self._memory_bytes: Final = memory_bytes
        self._loop: Final = asyncio.get_running_loop()
        self.versions: Final[dict[str, Version]] = {}
        """By digest."""

    def ready(self, digest: str) -> Batcher | None:
        """Return the batcher of a version that takes pictures."""
        version = self.versions.get(digest)
        return version.batcher if version is not None and version.state == "ready" else None

    async def load(self, digest: str, *, wanted: Collection[str]) -> None:
        """Have this version ready, or failed with a reason.

        If there is not memory enough, versions that are not in `wanted` are put away for it, those
        that were used last at last.
        """
        known = self.versions.get(digest)
        if known is not None and not self._is_worth_trying(known):
            return
        version = self.versions[digest] = Version(digest)
        try:
            await self._load(version, wanted)
        except BadBundle as error:
            version.state, version.reason = "failed", str(error)
            version.failed_s, version.memory_bytes = self._loop.time(), 0
            log.warning("tier.version_failed", digest=digest, reason=version.reason)
        finally:
            if version.state == "loading":  # whoever wanted it was cancelled
                self.versions.pop(digest, None)

    async def put_away(self, digest: str) -> None:
        """Unload a version once it has answered what it took in. It must not be routed to."""
        version = self.versions[digest]
        if version.batcher is not None:
            version.state = "unloading"
            await version.batcher.close()
            log.info("tier.version_unloaded", digest=digest)
        self.versions.pop(digest, None)

    def _is_worth_trying(self, version: Version) -> bool:
        return version.state == "failed" and self._loop.time() - version.failed_s >= RETRY_S

    async def _load(self, version: Version, wanted: Collection[str]) -> None:
        bundle = await asyncio.to_thread(open_bundle, self._folder, version.digest)
        version.manifest = bundle.manifest
        await self._make_room(self._opener.weigh(bundle), wanted)
        version.memory_bytes = self._opener.weigh(bundle)
        judge = await self._open(bundle)
        version.memory_bytes = judge.memory_bytes
        try:
            times = await warm_up(judge, bundle.manifest.input)
        except BaseException:
            await asyncio.to_thread(judge.close)
            raise
        tools = Tools(judge, bundle.manifest.input, self._decoding, times, VersionFigures())
        version.batcher, version.used_s = Batcher(tools), self._loop.time()
        version.state = "ready"
        log.info("tier.version_ready", digest=version.digest, bundle=bundle.manifest.name)

    async def _open(self, bundle: Bundle) -> Judge:
        """Return a judge; whoever is cancelled meanwhile leaves none behind."""
        opening = asyncio.ensure_future(asyncio.to_thread(self._opener.open, bundle))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            (await opening).close()
            raise

    async def _make_room(self, n_bytes: int, wanted: Collection[str]) -> None:
        while (free := self._memory_bytes - self._held_bytes) < n_bytes:
            unwanted = [
                version
                for version in self.versions.values()
                if version.digest not in wanted and version.state == "ready"
            ]
            if not unwanted:
                raise _does_not_fit(n_bytes, free, self._memory_bytes)
            await self.put_away(min(unwanted, key=lambda version: version.used_s).digest)

    @property
    def _held_bytes(self) -> int:
        return sum(version.memory_bytes for version in self.versions.values())


class DoesNotFit(BadBundle):
    """There is not memory enough for it beside what is wanted as well."""


def _does_not_fit(n_bytes: int, free_bytes: int, all_bytes: int) -> DoesNotFit:
    return DoesNotFit(
        f"it takes about {n_bytes / _MB:.0f} MB of memory; "
        f"{max(0, free_bytes) / _MB:.0f} of {all_bytes / _MB:.0f} MB are free"
    )
