"""Letting agents in, all that wait at a time: after a restart of the hub they all come at once.

One transaction for many of them costs little more than for one, so none has to wait so long that
it gives up, comes again, and makes the hub do its work twice.
"""

import asyncio
from collections import deque
from typing import Final

from django.db import DatabaseError, InterfaceError

from webapp.gateway.database import DatabaseThread
from webapp.gateway.handshake import Admission, Caller, Doorkeeper
from webapp.gateway.refusal import Refusal

MOST_AT_ONCE: Final = 32


class Admissions:
    """The queue at the door; lives on the event loop."""

    def __init__(self, database: DatabaseThread, doorkeeper: Doorkeeper) -> None:
        self._database = database
        self._doorkeeper = doorkeeper
        self._waiting: deque[tuple[Caller, asyncio.Future[Admission]]] = deque()
        self._work: asyncio.Task[None] | None = None

    async def admit(self, caller: Caller) -> Admission:
        """Begin a session; raise a `Refusal`, or what the database raises."""
        future: asyncio.Future[Admission] = asyncio.get_running_loop().create_future()
        self._waiting.append((caller, future))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._admit_waiting())
        return await future

    async def _admit_waiting(self) -> None:
        while self._waiting:
            group = self._next_group()
            callers = [caller for caller, _ in group]
            try:
                outcomes = await self._database.call(self._doorkeeper.admit_all, callers)
            except (DatabaseError, InterfaceError) as error:
                for _, future in group:
                    _fail(future, error)
            else:
                for (_, future), outcome in zip(group, outcomes, strict=True):
                    if isinstance(outcome, Refusal):
                        _fail(future, outcome)
                    elif not future.done():
                        future.set_result(outcome)

    def _next_group(self) -> list[tuple[Caller, "asyncio.Future[Admission]"]]:
        """Take those who still wait, of each agent one: who comes twice comes in two groups."""
        group: list[tuple[Caller, asyncio.Future[Admission]]] = []
        agent_ids = set()
        for _ in range(min(len(self._waiting), MOST_AT_ONCE)):
            caller, future = self._waiting.popleft()
            if future.done():
                continue
            if caller.hello.agent_id in agent_ids:
                self._waiting.append((caller, future))
                continue
            agent_ids.add(caller.hello.agent_id)
            group.append((caller, future))
        return group


def _fail(future: "asyncio.Future[Admission]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
