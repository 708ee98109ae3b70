"""What whoever asks may do: the hub says so once, and again when it lapses.

While the hub is away, those that it has vouched for go on for `GRACE_S` after their grant lapses;
nobody else gets in.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from processing.tier.hub.asking import HubAway
from processing.wire.tier import MAX_BEARER, Grant, Scope

GRACE_S: Final = 300.0
UNKNOWN_S: Final = 5.0
"""How long a bearer that the hub did not know is refused without asking again."""
MAX_KNOWN: Final = 20_000
MAX_UNKNOWN: Final = 20_000
MAX_ASKING: Final = 256
"""Questions under way; strangers who try many bearers wait for nothing."""
_ASK_AGAIN_S: Final = 1.0
"""After the hub was away."""
_AHEAD: Final = 0.8
"""Of a grant's time; from then on it is renewed while it is still good, so that nobody waits."""


class NoCredentials(Exception):
    """No bearer came, or one that the hub does not know."""


class NotAllowed(Exception):
    """The bearer is known, and may not do this."""


class GrantSource(Protocol):
    """Who knows what bearers may do: the hub."""

    async def ask(self, bearer: str) -> Grant | None:
        """Return None for a bearer that is not known; raise `HubAway`."""


class Credentials(Protocol):
    """Turns what a request shows into what it may do."""

    async def admit(self, bearer: str, scope: Scope) -> Grant:
        """Raise `NoCredentials`, `NotAllowed` or `HubAway`."""

    def recall(self, bearer: str, scope: Scope) -> Grant | None:
        """Return what is known already; None means nothing at all."""


@dataclass(slots=True)
class _Known:
    grant: Grant
    ahead_at: float
    fresh_until: float
    kept_until: float


class Grants:
    """Remembers what the hub said; asks about one bearer once at a time."""

    def __init__(self, source: GrantSource, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._unknown: OrderedDict[bytes, float] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Grant | None]] = {}
        self._away_until = 0.0

    async def admit(self, bearer: str, scope: Scope) -> Grant:
        """See `Credentials`."""
        if not bearer or len(bearer) > MAX_BEARER:
            raise NoCredentials("send your API key as `Authorization: Bearer KEY`")
        grant = await self._grant_of(bearer)
        if scope not in grant.scopes:
            raise NotAllowed(f"this key has no scope {scope!r}")
        return grant

    def recall(self, bearer: str, scope: Scope) -> Grant | None:
        """See `Credentials`."""
        known = self._known.get(hashlib.sha256(bearer.encode()).digest())
        if known is None or self._clock() >= known.ahead_at or scope not in known.grant.scopes:
            return None
        return known.grant

    async def _grant_of(self, bearer: str) -> Grant:
        key = hashlib.sha256(bearer.encode()).digest()  # no bearer is kept in memory
        now = self._clock()
        known = self._known.get(key)
        if known is not None and now < known.fresh_until:
            self._known.move_to_end(key)
            is_quiet = len(self._asking) < MAX_ASKING and now >= self._away_until
            if now >= known.ahead_at and is_quiet:
                self._ask(key, bearer)
            return known.grant
        if self._unknown.get(key, now) > now:
            raise NoCredentials("this key is not known, or not any more")
        grant = await self._asked(key, bearer)
        if grant is None:
            raise NoCredentials("this key is not known, or not any more")
        return grant

    async def _asked(self, key: bytes, bearer: str) -> Grant | None:
        try:
            self._check_askable(key)
            return await asyncio.shield(self._ask(key, bearer))
        except HubAway:
            known = self._known.get(key)
            if known is not None and self._clock() < known.kept_until:
                return known.grant
            raise

    def _check_askable(self, key: bytes) -> None:
        if key in self._asking:
            return
        if self._clock() < self._away_until:
            raise HubAway("the hub, which knows all keys, does not answer")
        if len(self._asking) >= MAX_ASKING:
            raise HubAway("too many unknown keys are being looked up")

    def _ask(self, key: bytes, bearer: str) -> "asyncio.Task[Grant | None]":
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._learn(key, bearer))
            task.add_done_callback(lambda done: self._finish(key, done))
        return task

    def _finish(self, key: bytes, task: "asyncio.Task[Grant | None]") -> None:
        del self._asking[key]
        if not task.cancelled():
            task.exception()  # whoever waits for it hears of it; ahead of time nobody does

    async def _learn(self, key: bytes, bearer: str) -> Grant | None:
        try:
            grant = await self._source.ask(bearer)
        except HubAway:
            self._away_until = self._clock() + _ASK_AGAIN_S
            raise
        now = self._clock()
        self._away_until = 0.0
        if grant is None:
            self._known.pop(key, None)
            self._unknown[key] = now + UNKNOWN_S
            self._unknown.move_to_end(key)
            _shrink(self._unknown, MAX_UNKNOWN)
            return None
        self._unknown.pop(key, None)
        self._known[key] = _Known(
            grant=grant,
            ahead_at=now + _AHEAD * grant.expires_s,
            fresh_until=now + grant.expires_s,
            kept_until=now + grant.expires_s + GRACE_S,
        )
        self._known.move_to_end(key)
        _shrink(self._known, MAX_KNOWN)
        return grant


class Everybody:
    """Credentials of a tier without a hub: whoever reaches it may do everything."""

    def __init__(self) -> None:
        self._grant = Grant(
            grant_id=UUID(int=0),
            kind="hub",
            organization_id=UUID(int=0),
            scopes=("detect", "models"),
            pictures_per_s=1e9,
            burst=1_000_000_000,
        )

    async def admit(self, bearer: str, scope: Scope) -> Grant:  # noqa: ARG002  # of no matter here
        """Let everybody in."""
        return self._grant

    def recall(self, bearer: str, scope: Scope) -> Grant:  # noqa: ARG002  # as above
        """See `Credentials`."""
        return self._grant


def bearer_of(authorization: str) -> str:
    """Return the bearer in an Authorization header; empty if there is none."""
    scheme, _, bearer = authorization.partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else ""


def _shrink(entries: "OrderedDict[bytes, _Known] | OrderedDict[bytes, float]", most: int) -> None:
    while len(entries) > most:
        entries.popitem(last=False)
