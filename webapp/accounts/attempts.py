"""How many wrong passwords somebody may try.

Counted by user name *and* address, so that a stranger elsewhere cannot lock an admin out, and by
address alone, so that nobody tries one password on every user.
"""

import hashlib
from datetime import timedelta
from typing import Final

import structlog
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

WINDOW: Final = timedelta(minutes=15)
MAX_FOR_USER: Final = 8
MAX_FOR_ADDRESS: Final = 60

log = structlog.get_logger(__name__)


class LogInAttempts:
    """The wrong passwords of one address for one user name, within a window."""

    def __init__(self, *, username: str, address: str) -> None:
        self._username = username
        self._address = address
        # Hashed: what a stranger types must not choose the cache's keys.
        pair = hashlib.sha256(f"{username.casefold()}\0{address}".encode()).hexdigest()
        self._limits = {
            f"login:user:{pair}": MAX_FOR_USER,
            f"login:address:{hashlib.sha256(address.encode()).hexdigest()}": MAX_FOR_ADDRESS,
        }

    def are_exhausted(self) -> bool:
        counts = cache.get_many(list(self._limits))
        return any(count >= self._limits[key] for key, count in counts.items())

    def count_failure(self) -> None:
        for key, limit in self._limits.items():
            cache.add(key, 0, timeout=WINDOW.total_seconds())
            if _incremented(key) == limit:
                log.warning("login.throttled", username=self._username, address=self._address)

    def forget(self) -> None:
        """After the right password: the user may be wrong again; the address is not forgiven."""
        cache.delete(next(iter(self._limits)))


def _incremented(key: str) -> int:
    try:
        return cache.incr(key)
    except ValueError:  # its time was over just now
        return 0


def client_address(request: HttpRequest) -> str:
    """Return who connects: the last hop our own proxy names, when settings say there is one."""
    if settings.SECURE_PROXY_SSL_HEADER:
        hops = request.headers.get("X-Forwarded-For", "").split(",")
        if hops[-1].strip():
            return hops[-1].strip()
    return str(request.META.get("REMOTE_ADDR", ""))
