"""How many wrong passwords somebody may try, and how often somebody may ask to enrol an agent.

Passwords are counted by user name *and* address, so that a stranger elsewhere cannot lock an admin
out, and by address alone, so that nobody tries one password on every user; who enrols, by address.
Counted in the database, which all web processes share.
"""

import hashlib
from collections.abc import Iterable
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
ENROL_WINDOW: Final = timedelta(minutes=1)
MAX_ENROLMENTS: Final = 30
"""Of an address: tokens are too long to be guessed, logs should stay short."""

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
        _forget_what_is_over(self._at)
        for counted in _count(self._limits, until=self._at + WINDOW):
            if counted.n_tries == self._limits[counted.key]:
                log.warning("login.throttled", username=self._username, address=self._address)

    def forget(self) -> None:
        """After the right password: the user may be wrong again; the address is not forgiven."""
        WrongPasswords.objects.filter(key=self._pair).delete()


class EnrolAttempts:
    """The tries to enrol of one address, within a window."""

    def __init__(self, *, address: str, at: datetime) -> None:
        self._address = address
        self._at = at
        self._key = _digest(f"enrol\0{address}")

    def take(self) -> timedelta | None:
        """Count one; return how long to wait instead if there were as many as may be.

        Of several at the same instant one or the other may be let through besides.
        """
        kept = WrongPasswords.objects.filter(key=self._key, until__gt=self._at).first()
        if kept is not None and kept.n_tries >= MAX_ENROLMENTS:
            return kept.until - self._at
        _forget_what_is_over(self._at)
        (counted,) = _count([self._key], until=self._at + ENROL_WINDOW)
        if counted.n_tries == MAX_ENROLMENTS:
            log.warning("enrol.throttled", address=self._address)
        return None


@transaction.atomic
def _forget_what_is_over(at: datetime) -> None:
    over = WrongPasswords.objects.filter(until__lte=at)
    free = over.select_for_update(skip_locked=True)  # another process does it just now
    WrongPasswords.objects.filter(pk__in=free.values("pk")).delete()


@transaction.atomic
def _count(keys: Iterable[str], *, until: datetime) -> list[WrongPasswords]:
    """Count one more of each; a count that begins now ends then."""
    every = []
    for key in sorted(keys):  # two at once do not deadlock
        counted, _ = WrongPasswords.objects.select_for_update().get_or_create(
            key=key, defaults={"until": until}
        )
        counted.n_tries += 1
        counted.save(update_fields=("n_tries",))
        every.append(counted)
    return every


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def client_address(request: HttpRequest) -> str:
    """Return who connects: the last hop our own proxy names, when settings say there is one."""
    if settings.SECURE_PROXY_SSL_HEADER:
        hops = request.headers.get("X-Forwarded-For", "").split(",")
        if hops[-1].strip():
            return hops[-1].strip()
    return str(request.META.get("REMOTE_ADDR", ""))
