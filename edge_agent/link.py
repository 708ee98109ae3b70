"""Keeps the one connection to the hub: connects, and connects again."""

import asyncio
import contextlib
import random
import ssl
import time
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from edge_agent.backoff import Backoff
from edge_agent.portions import Batch
from edge_agent.session import HubLost, Parts, RefusedByHub, Session, WrongHub
from edge_agent.spool.database import SpoolDamaged, SpoolRefused
from processing.wire.codec import SUBPROTOCOL
from processing.wire.limits import MAX_MESSAGE_BYTES
from processing.wire.messages import ClipMissing, Refused, Welcome

_BASE_S: Final = 0.25
_CAP_S: Final = 10.0
_STABLE_S: Final = 10.0
_FINAL_S: Final = 300.0
"""Between tries when only a person can help; they may have, so it is worth asking now and then."""
_CLOCK_S: Final = 30.0
_SUPERSEDED_S: Final = 60.0
_SEARCH_S: Final = 0.5
"""Between tries while the entry that the hub cannot take is being found, half by half."""
_PING_S: Final = 10.0
_CONNECT_S: Final = 10.0
_PROBLEM: Final = "hub"

_WORDS: Final = {
    "protocol": "the hub speaks another version of the protocol: update the agent or the hub",
    "unknown_agent": "the hub does not know this agent: enrol it again",
    "bad_signature": "the hub does not accept this agent's key: enrol it again",
    "revoked": "this agent was revoked at the hub: enrol it again with --new-key",
    "superseded": "another agent with the same identity is connected: is its data folder copied?",
    "malformed": "the hub did not understand something that this agent sent",
    "too_large": "the hub found something too large that this agent sent",
    "clock_off": "this machine's clock is off: set it",
    "timeout": "the hub had to wait for this agent too long",
}

log = structlog.get_logger()


class Link:
    """Runs on the event loop until cancelled."""

    def __init__(self, hub_url: str, parts: Parts, *, dice: random.Random) -> None:
        self._url: Final = websocket_url(hub_url)
        self._parts = parts
        self._backoff = Backoff(base_s=_BASE_S, cap_s=_CAP_S, dice=dice.random)
        self._dice = dice
        self._session: Session | None = None
        self._welcomed_at: float | None = None
        self._lost_at: float | None = None
        self.n_welcomes = 0
        """How often the hub has let us in."""

    @property
    def is_up(self) -> bool:
        """Return whether the hub has let us in, and we are still connected."""
        return self._session is not None and self._welcomed_at is not None

    def say(self, message: ClipMissing) -> None:
        """Tell the hub, if it listens; it asks again if it missed that."""
        if self._session is not None:
            self._session.say(message)

    def wake(self) -> None:
        """Say that there may be something to send."""
        if self._session is not None:
            self._session.wake()

    def state_changed(self) -> None:
        """Say that a report would read differently."""
        if self._session is not None:
            self._session.state_changed()

    async def run(self) -> None:
        """Be connected, for ever."""
        while True:
            self._welcomed_at = None
            wait_s: float | None = None
            try:
                await self._connect_once()
            except RefusedByHub as error:
                wait_s = await self._be_refused(error.refused)
            except WrongHub as error:
                self._lose(str(error))
                wait_s = _FINAL_S
            except HubLost as error:
                self._lose(str(error))
            finally:
                self._session = None
                self._parts.live.stop()
            await asyncio.sleep(self._patience_s(wait_s))

    # ------------------------------------------------------------ one connection

    async def _connect_once(self) -> None:
        """Connect and stay; raise `HubLost`, `WrongHub` or `RefusedByHub`."""
        try:
            async with connect(
                self._url,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                compression=None,
                max_size=MAX_MESSAGE_BYTES,
                open_timeout=_CONNECT_S,
                ping_interval=_PING_S,
                ping_timeout=_PING_S,
                close_timeout=1.0,
                proxy=None,
                user_agent_header=f"farwatch-agent/{self._parts.software}",
            ) as socket:
                if socket.subprotocol is None:
                    raise HubLost(f"what answers at {self._url} does not speak {SUBPROTOCOL}")
                self._session = Session(socket, self._parts)
                await self._session.run(on_welcome=self._be_welcome)
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise HubLost(in_words(error, self._url)) from error

    def _be_welcome(self, welcome: Welcome) -> None:
        self._welcomed_at = time.monotonic()
        self.n_welcomes += 1
        away_s = 0.0 if self._lost_at is None else self._welcomed_at - self._lost_at
        self._lost_at = None
        log.info("hub.connected", url=self._url, name=welcome.agent_name, away_s=round(away_s, 1))
        self._parts.health.solved(_PROBLEM)

    # ------------------------------------------------------------ afterwards

    def _lose(self, reason: str) -> None:
        if self._lost_at is None:
            self._lost_at = time.monotonic()
            log.warning("hub.lost", url=self._url, reason=reason)
        self._parts.health.problem(_PROBLEM, f"no connection to the hub: {reason}")

    async def _be_refused(self, refused: Refused) -> float | None:
        """Tell people why; return how long to wait, None to go by the backoff."""
        self._lose(f"{_WORDS[refused.code]} ({refused.detail or refused.code})")
        match refused.code:
            case "malformed" | "too_large":
                if self._session is not None and self._session.in_flight:
                    await self._blame(refused, self._session.in_flight)
                    return _SEARCH_S
            case "clock_off":
                return _CLOCK_S
            case "superseded":
                return _SUPERSEDED_S
            case _:
                pass
        return _FINAL_S if refused.is_final else None

    async def _blame(self, refused: Refused, in_flight: list[Batch]) -> None:
        """Send less next time; an entry that was sent alone is taken out and counted as a gap."""
        culprit = self._parts.portions.refused(in_flight)
        if culprit is None:
            return
        log.error("hub.refused_entry", lane=culprit.lane, seq=culprit.first_seq, code=refused.code)
        self._parts.health.problem(
            "refused_entry",
            f"the hub cannot take number {culprit.first_seq} of {culprit.lane}: {refused.detail}. "
            "It is kept in the outbox as a dead letter, the rest goes on",
        )
        with contextlib.suppress(SpoolDamaged, SpoolRefused):  # the outbox tells of its own
            await asyncio.wrap_future(
                self._parts.outbox.quarantine(culprit.lane, culprit.first_seq, "refused")
            )

    def _patience_s(self, wait_s: float | None) -> float:
        welcomed_at = self._welcomed_at
        if welcomed_at is not None and time.monotonic() - welcomed_at > _STABLE_S:
            self._backoff.reset()
        if wait_s is not None:
            return wait_s * self._dice.uniform(0.5, 1.0)
        return self._backoff.next_s()


def websocket_url(hub_url: str) -> str:
    """Return where agents connect, of a hub's checked address."""
    parts = urlsplit(hub_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + "/agent/ws", "", ""))


def in_words(error: Exception, url: str) -> str:
    """Return why a connection could not be made, for a person."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"the certificate of {url} is not valid: {error.verify_message}"
        case InvalidStatus():
            return f"{url} answers with HTTP {error.response.status_code}"
        case InvalidHandshake():
            return f"what answers at {url} is no hub: {error}"
        case ConnectionRefusedError():
            return f"nothing answers at {url}"
        case _:
            return f"{url} cannot be reached: {error}"
