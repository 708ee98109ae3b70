"""The right to use the tier, as the hub gives it and until it lapses."""

import threading
import time
from dataclasses import dataclass
from typing import Final

import structlog

from edge_agent.config import checked_hub_url
from processing.wire.messages import BundleState, OverflowAccess

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ticket:
    """Where pictures are judged, and by what right."""

    url: str
    """Without a slash at its end."""
    token: str
    micros: int
    """Of the hub's currency, for a picture."""
    model: str
    bundles: tuple[BundleState, ...]

    def bundle(self, digest: bytes) -> BundleState | None:
        """Return what is known of a bundle there."""
        return next((each for each in self.bundles if each.digest == digest), None)


class AccessDesk:
    """Any thread may call."""

    def __init__(self, hub_url: str) -> None:
        self._hub_url: Final = hub_url
        self._lock = threading.Lock()
        self._ticket: Ticket | None = None
        self._why_none = "the hub offers no cloud"
        self._lapses = 0.0
        """Monotonic."""

    def admit(self, access: OverflowAccess) -> None:
        """Take what the hub gives; an address that is not safe is not taken."""
        try:
            url = checked_hub_url(access.url) if access.url else self._hub_url
            _check_token(access.token)
        except ValueError as error:
            log.warning("overflow.bad_access", reason=str(error))
            with self._lock:
                self._ticket, self._why_none = None, f"the right to the cloud is not taken: {error}"
            return
        ticket = Ticket(
            url, access.token, round(access.price_per_1000 * 1000), access.model, access.bundles
        )
        with self._lock:
            self._ticket, self._lapses = ticket, time.monotonic() + access.expires_s
            self._why_none = "the hub has not renewed the right to the cloud"

    def why_none(self) -> str:
        """Return why there is no right, in words."""
        with self._lock:
            return self._why_none

    def ticket(self) -> Ticket | None:
        """Return the right that there is now."""
        with self._lock:
            return self._ticket if time.monotonic() < self._lapses else None


def _check_token(token: str) -> None:
    """Raise `ValueError` unless it can be sent as a header."""
    if not (token.isascii() and token.isprintable()):
        raise ValueError("its token is none")
