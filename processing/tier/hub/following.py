"""Brings about what is to be served: what the hub wants, or else all bundles that there are."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from pathlib import Path

import structlog

from processing.tier.contract import InferenceTier, ServedVersion, Serving
from processing.tier.hub.keeping import DataFolder
from processing.tier.serving.folder import Listed, list_bundles
from processing.wire.tier import REPORT_EVERY_S, TierWanted, model_name

log = structlog.get_logger()


class Follower:
    """Has the tier serve what is wanted, now and as wishes and bundles change."""

    def __init__(self, tier: InferenceTier, bundles: Path, data: DataFolder) -> None:
        self._tier = tier
        self._bundles = bundles
        self._data = data
        self._wanted = data.read_wanted() or TierWanted()
        self._served: tuple[Serving, ...] | None = None
        self._is_told = asyncio.Event()
        self.trouble = ""
        """Why a folder cannot be read or written, in words; empty when both can."""

    def want(self, wanted: TierWanted) -> None:
        """Hear what the hub wants; it is brought about in `run`."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._is_told.set()

    async def run(self) -> None:
        """Follow until cancelled; what was loaded goes on while a folder fails."""
        while True:
            await self._bear(self.follow())
            try:
                async with asyncio.timeout(REPORT_EVERY_S):
                    await self._is_told.wait()
            except TimeoutError:
                continue
            self._is_told.clear()
            await self._bear(asyncio.to_thread(self._data.write_wanted, self._wanted))

    async def _bear(self, doing: Awaitable[None]) -> None:
        try:
            await doing
        except OSError as error:
            if str(error) != self.trouble:
                log.warning("folder.failed", reason=str(error))
            self.trouble = str(error)
        else:
            self.trouble = ""

    async def follow(self) -> None:
        """Bring about what is wanted now."""
        serving = _as_serving(self._wanted) or by_name(
            await asyncio.to_thread(list_bundles, self._bundles)
        )
        if serving != self._served:
            log.info("serving.changed", models=[each.model for each in serving])
        elif all(status.state != "failed" for status in self._tier.models()):
            return
        await self._tier.serve(serving)  # a version that failed is tried again in its own time
        self._served = serving


def by_name(bundles: Sequence[Listed]) -> tuple[Serving, ...]:
    """Return every bundle under its own name; of one name the newest version takes what comes."""
    named: defaultdict[str, list[Listed]] = defaultdict(list)
    for bundle in bundles:
        named[model_name(bundle.manifest.name)].append(bundle)
    servings: list[Serving] = []
    for model, versions in sorted(named.items()):
        newest = max(versions, key=lambda each: (_natural(each.manifest.version), each.digest))
        servings.append(
            Serving(
                model=model,
                versions=tuple(
                    ServedVersion(digest=each.digest, weight=1.0 if each is newest else 0.0)
                    for each in versions
                ),
            )
        )
    return tuple(servings)


def _as_serving(wanted: TierWanted) -> tuple[Serving, ...]:
    return tuple(
        Serving(
            model=each.model,
            versions=tuple(
                ServedVersion(
                    digest=version.digest, weight=version.weight, is_shadow=version.is_shadow
                )
                for version in each.versions
            ),
        )
        for each in wanted.models
    )


def _natural(version: str) -> list[tuple[int, str]]:
    """Return a key by which 10 comes after 9."""
    return [
        (int(part), "") if part.isdigit() and part.isascii() else (-1, part)
        for part in re.split(r"(\d+)", version)
    ]
