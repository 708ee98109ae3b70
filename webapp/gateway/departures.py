"""Ending sessions, all that wait at a time: when a network breaks, a whole fleet goes at once."""

import asyncio
from datetime import UTC, datetime
from itertools import islice
from typing import Final
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError

from webapp.fleet.actions import close_sessions
from webapp.gateway.database import DatabaseThread
from webapp.gateway.handshake import Session
from webapp.gateway.upkeep import tell_offline

log = structlog.get_logger(__name__)

MOST_AT_ONCE: Final = 256


class Departures:
    """The way out; lives on the event loop."""

    def __init__(self, database: DatabaseThread) -> None:
        self._database = database
        self._ended: dict[UUID, int] = {}
        self._work: asyncio.Task[None] | None = None
        self._at = datetime.min.replace(tzinfo=UTC)

    async def end(self, session: Session, *, at: datetime) -> None:
        """Say that an agent has gone, unless it is back already; return once that is written."""
        number = self._ended.get(session.agent_id, session.number)
        self._ended[session.agent_id] = max(number, session.number)
        self._at = max(self._at, at)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._end_all())
        await asyncio.shield(self._work)

    async def _end_all(self) -> None:
        while self._ended:
            group = dict(islice(self._ended.items(), MOST_AT_ONCE))
            for agent_id in group:
                del self._ended[agent_id]
            try:
                await self._database.call(_end_sessions, group, at=self._at)
            except (DatabaseError, InterfaceError) as error:
                # Once nothing was heard of them for long enough, the sweep ends the sessions.
                log.warning("agents.end_not_recorded", n=len(group), reason=str(error).strip())


def _end_sessions(sessions: dict[UUID, int], *, at: datetime) -> None:
    gone = close_sessions(sessions, at=at)
    known = [agent for agent in gone if not agent.is_revoked]
    tell_offline(known, reason="its connection ended", at=at)
