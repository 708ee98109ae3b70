"""Tells the hub how the tier is and what was used, and hears what is to be served.

Every use is counted once: a report keeps its number until the hub has said to have counted it, and
the hub counts a number once. What has not been counted is on the disk before it is sent, so that
a process that dies is finished by the next.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID, uuid4

import structlog

from processing.tier.contract import Capacity, InferenceTier, ModelStatus
from processing.tier.hub.asking import HubAway, encoded
from processing.tier.hub.keeping import DataFolder, Sent, Unreported
from processing.tier.hub.metering import Uses
from processing.tier.serving.folder import Listed, list_bundles
from processing.wire.limits import MAX_TEXT
from processing.wire.tier import (
    MAX_MODELS,
    MAX_USES,
    REPORT_EVERY_S,
    TierBundle,
    TierQueue,
    TierReport,
    TierWanted,
)
from processing.wire.version import VERSION

LAST_S: Final = 1.0
_MAX_PROBLEMS: Final = 20

log = structlog.get_logger()


class ReportTaker(Protocol):
    """Who takes reports: the hub."""

    async def report(self, body: bytes) -> TierWanted:
        """Return what is to be served; raise `HubAway`."""


@dataclass(frozen=True, kw_only=True)
class Reported:
    """What reports are made from."""

    tier: InferenceTier
    uses: Uses
    bundles: Path
    device: str
    disagreement: Callable[[str], float | None]
    """Of a model's shadows."""
    troubles: Callable[[], Sequence[str]]


class Reporter:
    """Reports every `REPORT_EVERY_S`."""

    def __init__(
        self,
        hub: ReportTaker,
        about: Reported,
        data: DataFolder,
        *,
        on_wanted: Callable[[TierWanted], None],
        now: Callable[[], datetime],
    ) -> None:
        self._hub = hub
        self._about = about
        self._data = data
        self._on_wanted = on_wanted
        self._now = now
        self._tier_id = data.tier_id()
        self._boot_id: UUID = uuid4()
        self._number = 0
        left = data.read_unreported()
        self._sent = left.sent
        about.uses.put_back(left.waiting)
        if left.sent is not None:
            about.uses.take_over(left.sent.uses)
        self._is_kept = bool(left.sent or left.waiting)
        self.trouble = ""
        """Why the hub is not told, in words; empty when it is."""

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            await self.report()
            await asyncio.sleep(REPORT_EVERY_S)

    async def report(self) -> None:
        """Send one report, the one that was not counted first; a hub that is away is noted."""
        if self._sent is None:
            self._number += 1
            uses = self._about.uses.take(MAX_USES)
            self._sent = Sent(boot_id=self._boot_id, number=self._number, uses=uses)
        try:
            await self._keep(self._sent)
            body = encoded(await self._made(self._sent))
            wanted = await self._hub.report(body)
        except (HubAway, OSError) as error:
            if not self.trouble:
                log.warning("hub.lost", reason=str(error))
            self.trouble = str(error)
            return
        if self.trouble:
            log.info("hub.back")
            self.trouble = ""
        self._about.uses.settle(self._sent.uses)
        self._sent = None
        self._on_wanted(wanted)

    async def _keep(self, sent: Sent) -> None:
        """Write what the hub may not have counted; nothing, where there is and was nothing."""
        waiting = self._about.uses.waiting() if self.trouble else ()
        if sent.uses or waiting or self._is_kept:
            kept = Unreported(sent=sent if sent.uses else None, waiting=waiting)
            await asyncio.to_thread(self._data.write_unreported, kept)
            self._is_kept = bool(sent.uses or waiting)

    async def close(self) -> None:
        """Report a last time; keep on the disk what the hub does not take within `LAST_S`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_S):
                await self.report()
        waiting = self._about.uses.waiting()
        if self._sent is not None or waiting or self._is_kept:
            self._data.write_unreported(Unreported(sent=self._sent, waiting=waiting))

    async def _made(self, sent: Sent) -> TierReport:
        about = self._about
        listed = await asyncio.to_thread(list_bundles, about.bundles)
        troubles = [text[:MAX_TEXT] for text in about.troubles()]
        return TierReport(
            tier_id=self._tier_id,
            boot_id=sent.boot_id,
            number=sent.number,
            at=self._now(),
            software=f"farwatch {VERSION}",
            device=about.device,
            bundles=_bundles(listed, about.tier.models()),
            queues=tuple(
                _queue(each, about.disagreement(each.model))
                for each in about.tier.capacity()[:MAX_MODELS]
            ),
            uses=sent.uses,
            problems=tuple(troubles[:_MAX_PROBLEMS]),
        )


def _bundles(listed: Sequence[Listed], statuses: Sequence[ModelStatus]) -> tuple[TierBundle, ...]:
    known = {status.digest: status for status in statuses}
    return tuple(_bundle(each, known.get(each.digest)) for each in listed[:MAX_MODELS])


def _bundle(listed: Listed, status: ModelStatus | None) -> TierBundle:
    manifest = listed.manifest
    return TierBundle(
        digest=listed.digest,
        name=manifest.name,
        version=manifest.version,
        labels=manifest.labels,
        state=status.state if status else "available",
        reason=status.reason[:MAX_TEXT] if status else "",
        memory_bytes=status.memory_bytes if status else 0,
    )


def _queue(capacity: Capacity, disagreement: float | None) -> TierQueue:
    return TierQueue(
        model=capacity.model,
        n_waiting=capacity.n_waiting,
        wait_ms=capacity.wait_ms,
        pictures_per_s=capacity.pictures_per_s,
        disagreement=disagreement,
    )
