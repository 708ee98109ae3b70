"""Who may listen to what, asked when a browser connects and ever again while it stays."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import structlog
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import Error as DatabaseError
from django.http import HttpRequest

from webapp.accounts.models import Role, User
from webapp.accounts.queries import organizations_of
from webapp.common.broadcast import Topic
from webapp.common.clock import now
from webapp.dashboard.database import in_thread
from webapp.dashboard.needed import WhileNeeded
from webapp.fleet.models import Camera

POLL_S: Final = 2.0

log = structlog.get_logger(__name__)


class LoggedOut(Exception):
    """There is no session any more, or nobody in it."""


class NotYours(Exception):
    """This user may not listen to that."""


def organization_topics(session_key: str | None) -> frozenset[Topic]:
    """Return what the pages of this session's user listen to; raise `LoggedOut` or `NotYours`."""
    organizations = organizations_of(_user(session_key))
    if not organizations:
        raise NotYours
    return frozenset(("organization", organization.pk) for organization in organizations)


def camera_topics(
    session_key: str | None, camera_id: UUID, *, kind: str = "camera"
) -> frozenset[Topic]:
    """Return the topic of a camera that an operator may watch; raise `LoggedOut` or `NotYours`.

    `kind` is what is watched of it: "camera" for pictures, "small" for small ones, "video", or
    "main" for the main stream's.
    """
    user = _user(session_key)
    if not Camera.objects.for_actor(user, Role.OPERATOR).filter(pk=camera_id).exists():
        raise NotYours
    return frozenset({(kind, camera_id)})


def _user(session_key: str | None) -> User:
    if session_key is None:
        raise LoggedOut
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user = get_user(request)  # also checks that the password is still the one of the login
    if not isinstance(user, User) or not user.is_active:
        raise LoggedOut
    return user


class SessionWatch:
    """Tells sockets that their session has ended: one query for all of them, every `POLL_S`."""

    def __init__(self) -> None:
        self._ended: dict[str, set[asyncio.Event]] = {}
        self._polling = WhileNeeded(self._poll)

    @contextmanager
    def watching(self, session_key: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set when the session is over."""
        ended = asyncio.Event()
        self._ended.setdefault(session_key, set()).add(ended)
        try:
            with self._polling.needed():
                yield ended
        finally:
            self._ended[session_key].discard(ended)
            if not self._ended[session_key]:
                del self._ended[session_key]

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            watched = frozenset(self._ended)
            try:
                alive = await in_thread(sessions_alive)(watched)
            except DatabaseError as error:
                log.warning("sessions.unknown", reason=str(error))
                continue
            for session_key in watched - alive:
                for ended in self._ended.get(session_key, ()):
                    ended.set()


def sessions_alive(session_keys: Collection[str]) -> frozenset[str]:
    """Return which of these sessions still exist."""
    rows = Session.objects.filter(session_key__in=session_keys, expire_date__gt=now())
    return frozenset(rows.values_list("session_key", flat=True))


sessions = SessionWatch()
"""This web process's."""
