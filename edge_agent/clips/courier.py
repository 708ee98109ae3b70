"""Brings clips to the hub that somebody there wants to see: one at a time, each once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, Literal, TypeAlias
from uuid import UUID

import httpx
import structlog

from edge_agent.backoff import Backoff
from edge_agent.clips.shelf import ClipShelf
from processing.wire.limits import MAX_CLIP_BYTES
from processing.wire.messages import ClipDemand, ClipMissing, ClipWanted

_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
"""Of each step, not of the whole: a clip may take long, silence may not."""
_CHUNK: Final = 256 * 1024
_BACKOFF_BASE_S: Final = 1.0
_BACKOFF_CAP_S: Final = 60.0
_PASSING: Final = frozenset({408, 425, 429})
"""Refusals that say: not now."""
_CONFLICT: Final = 409
_TOO_LARGE: Final = 413

Outcome: TypeAlias = Literal["sent", "refused", "again"]

log = structlog.get_logger()


class ClipCourier:
    """Lives on the event loop: `demand` and `run` are called there."""

    def __init__(
        self,
        shelf: ClipShelf,
        *,
        hub_url: str,
        send: Callable[[ClipMissing], None],
        dice: Callable[[], float],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`hub_url` has no slash at its end; `send` takes what cannot be brought."""
        self._shelf: Final = shelf
        self._hub_url: Final = hub_url
        self._send: Final = send
        self._transport: Final = transport
        self._backoff = Backoff(base_s=_BACKOFF_BASE_S, cap_s=_BACKOFF_CAP_S, dice=dice)
        self._changed = asyncio.Event()
        self._wanted: dict[tuple[UUID, str], ClipWanted] = {}
        self._settled: set[tuple[UUID, str]] = set()
        self.n_sent = 0

    def demand(self, demand: ClipDemand) -> None:
        """These clips are wanted now and no others; what was settled already is not begun anew."""
        self._wanted = {_key(wanted): wanted for wanted in demand.wanted}
        self._settled &= self._wanted.keys()
        self._changed.set()

    async def run(self) -> None:
        """Bring what is wanted; it has no end but being cancelled."""
        async with httpx.AsyncClient(
            timeout=_TIMEOUT, trust_env=False, transport=self._transport
        ) as client:
            while True:
                wanted = self._next()
                if wanted is None:
                    self._changed.clear()
                    await self._changed.wait()
                elif await self._bring(client, wanted) == "again":
                    await self._pause(wanted)
                else:
                    self._backoff.reset()
                    self._settled.add(_key(wanted))

    def _next(self) -> ClipWanted | None:
        waiting = (want for key, want in self._wanted.items() if key not in self._settled)
        return next(waiting, None)

    async def _pause(self, failed: ClipWanted) -> None:
        """Wait before the next try; it is another clip's turn then, if one is wanted."""
        if self._wanted.pop(_key(failed), None) is not None:
            self._wanted[_key(failed)] = failed
        await asyncio.sleep(self._backoff.next_s())

    async def _bring(self, client: httpx.AsyncClient, wanted: ClipWanted) -> Outcome:
        if not wanted.upload_path.startswith("/"):
            log.warning("clip.bad_address", clip=str(wanted.clip_id))
            return "refused"
        file = self._shelf.find(wanted.clip_id)
        if file is None:
            return self._miss(wanted, "the agent no longer has this clip")
        try:
            return await self._put(client, wanted, file)
        except FileNotFoundError:
            return self._miss(wanted, "the clip was deleted to make room")
        except OSError as error:
            return self._miss(wanted, f"the clip cannot be read: {error.strerror}")
        except (httpx.TransportError, httpx.StreamError) as error:
            log.info("clip.not_sent", clip=str(wanted.clip_id), reason=type(error).__name__)
            return "again"

    async def _put(self, client: httpx.AsyncClient, wanted: ClipWanted, file: Path) -> Outcome:
        n_bytes = (await asyncio.to_thread(file.stat)).st_size
        if n_bytes > MAX_CLIP_BYTES:
            return self._miss(wanted, "the clip is larger than a hub takes")
        answer = await client.put(
            self._hub_url + wanted.upload_path,
            content=_chunks(file),
            headers={"Content-Type": "video/mp4", "Content-Length": str(n_bytes)},
        )
        status = answer.status_code
        if answer.is_success or status == _CONFLICT:
            self.n_sent += 1
            return "sent"
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _PASSING:
            log.info("clip.not_sent", clip=str(wanted.clip_id), status=status)
            return "again"
        log.warning("clip.refused", clip=str(wanted.clip_id), status=status)
        if status == _TOO_LARGE:
            return self._miss(wanted, "the hub found the clip too large")
        return "refused"

    def _miss(self, wanted: ClipWanted, reason: str) -> Outcome:
        self._send(ClipMissing(clip_id=wanted.clip_id, reason=reason))
        return "refused"


def _key(wanted: ClipWanted) -> tuple[UUID, str]:
    return wanted.clip_id, wanted.upload_path


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    opened = await asyncio.to_thread(file.open, "rb")
    try:
        while chunk := await asyncio.to_thread(opened.read, _CHUNK):
            yield chunk
    finally:
        opened.close()
