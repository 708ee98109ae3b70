"""How many wrong passwords somebody may try.

Counted by user name *and* address, so that a stranger elsewhere cannot lock an admin out, and by
address alone, so that nobody tries one password on every user. Counted in the database, which all
web processes share.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from webapp.accounts.models import WrongPasswords

WINDOW: Final = timedelta(minutes=15)
MAX_FOR_USER: Final = 8
MAX_FOR_ADDRESS: Final = 60

log = structlog.get_logger(__name__)


class LogInAttempts:
    """The wrong passwords of one address for one user name, within a window."""

    def __init__(self, *, username: str, address: str, at: datetime) -> None:
        self._username = username
        self._address = address
        self._at = at
        # Hashed: what a stranger types is not kept.
        self._pair = _digest(f"{username.casefold()}\0{address}")
        self._limits = {self._pair: MAX_FOR_USER, _digest(address): MAX_FOR_ADDRESS}

    def are_exhausted(self) -> bool:
        counted = WrongPasswords.objects.filter(key__in=self._limits, until__gt=self._at)
        return any(each.n_tries >= self._limits[each.key] for each in counted)

    def count_failure(self) -> None:
        self._forget_what_is_over()
        self._count()

    @transaction.atomic
    def _forget_what_is_over(self) -> None:
        over = WrongPasswords.objects.filter(until__lte=self._at)
        free = over.select_for_update(skip_locked=True)  # another process does it just now
        WrongPasswords.objects.filter(pk__in=free.values("pk")).delete()

    @transaction.atomic
    def _count(self) -> None:
        for key, limit in sorted(self._limits.items()):  # sorted: two at once do not deadlock
            counted, _ = WrongPasswords.objects.select_for_update().get_or_create(
                key=key, defaults={"until": self._at + WINDOW}
            )
            counted.n_tries += 1
            counted.save(update_fields=("n_tries",))
            if counted.n_tries == limit:
                log.warning("login.throttled", username=self._username, address=self._address)

    def forget(self) -> None:
        """After the right password: the user may be wrong again; the address is not forgiven."""
        WrongPasswords.objects.filter(key=self._pair).delete()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def client_address(request: HttpRequest) -> str:
    """Return who connects: the last hop our own proxy names, when settings say there is one."""
    if settings.SECURE_PROXY_SSL_HEADER:
        hops = request.headers.get("X-Forwarded-For", "").split(",")
        if hops[-1].strip():
            return hops[-1].strip()
    return str(request.META.get("REMOTE_ADDR", ""))
