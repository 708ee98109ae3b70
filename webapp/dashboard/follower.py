"""Follows the table of changes and tells the browsers of each organization, while any listens.

A row's id is given before its transaction commits, so a lower id may appear after a higher one;
the follower therefore looks back over everything made within `OVERLAP` and skips what it has told.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, TypeAlias, cast
from uuid import UUID

import structlog
from django.db import Error as DatabaseError

from processing.wire.browser import Changed, Topic, encode
from webapp.common.alongside import Alongside
from webapp.common.broadcast import Broadcast, Mailbox, broadcast
from webapp.common.changes import changes_after, forget_changes, newest_change_id
from webapp.common.clock import now
from webapp.common.nudges import NUDGES
from webapp.dashboard.database import in_thread
from webapp.dashboard.needed import WhileNeeded

POLL_S: Final = 0.5
"""Between two looks, of a process that hears only its own nudges."""
RELAYED_POLL_S: Final = 5.0
"""The same, of one that Redis brings everybody's."""
APART_S: Final = 0.1
"""At the least, however often it is nudged."""
OVERLAP: Final = timedelta(seconds=10)
FIRST_APART: Final = timedelta(seconds=0.5)
MOST_APART: Final = timedelta(seconds=3)
_CALMED: Final[frozenset[Topic]] = frozenset({"agents", "cameras"})
"""Those whose parts of a page cost most; people wait for events."""
PRUNE_EVERY: Final = timedelta(minutes=1)

OutOfDate: TypeAlias = tuple[UUID, Topic]

log = structlog.get_logger(__name__)


class Follower:
    """Where one web process is in the table of changes."""

    def __init__(self, *, floor: int) -> None:
        self._floor = floor
        """Every change up to here has been told."""
        self._told: dict[int, datetime] = {}
        """What has been told beyond it, and when."""

    @classmethod
    def beginning(cls, *, at: datetime) -> "Follower":
        """Return one that tells what is new to a page that was made only just before."""
        return cls(floor=newest_change_id(before=at - OVERLAP))

    def take_new(self, *, at: datetime) -> set[OutOfDate]:
        """Return which topics of which organizations changed since the last call."""
        fresh = [change for change in changes_after(self._floor) if change.pk not in self._told]
        self._told |= dict.fromkeys((change.pk for change in fresh), at)
        settled = [key for key, told_at in self._told.items() if at - told_at > OVERLAP]
        self._floor = max(settled, default=self._floor)
        self._told = {key: told for key, told in self._told.items() if key > self._floor}
        return {(change.organization_id, cast("Topic", change.topic)) for change in fresh}


class Calm:
    """Holds back what changes on and on: a fleet that comes back changes the wall all the time.

    What was quiet is told at once; while it goes on it is told half as often each time.
    """

    def __init__(self) -> None:
        self._held: set[OutOfDate] = set()
        self._told: dict[OutOfDate, tuple[datetime, timedelta]] = {}
        """When each was told last, and how long it is to wait from then on."""

    @property
    def is_holding(self) -> bool:
        """Return whether something waits to be told."""
        return bool(self._held)

    def take_due(self, fresh: set[OutOfDate], *, at: datetime) -> set[OutOfDate]:
        """Take in what changed; return what is to be told now."""
        self._told = {
            change: (told_at, apart)
            for change, (told_at, apart) in self._told.items()
            if at - told_at < 2 * apart
        }
        self._held |= fresh
        due = {change for change in self._held if self._is_due(change, at)}
        self._held -= due
        for change in due:
            _, apart = self._told.get(change, (at, FIRST_APART / 2))
            self._told[change] = (at, min(2 * apart, MOST_APART))
        return due

    def _is_due(self, change: OutOfDate, at: datetime) -> bool:
        _, topic = change
        if topic not in _CALMED or change not in self._told:
            return True
        told_at, apart = self._told[change]
        return at - told_at >= apart


def tell(changes: Iterable[OutOfDate], to: Broadcast) -> None:
    """Tell each change once to whoever shows that organization in this process."""
    for organization_id, topic in changes:
        payload = encode(Changed(topic=topic))
        to.deliver(("organization", organization_id), f"changed:{topic}", payload)


async def follow_changes() -> None:
    """Follow for ever; a database that does not answer is asked again."""
    nudges = Mailbox()
    with Alongside(broadcast, kind=NUDGES, mailbox=nudges).following():
        await _follow(nudges)


async def _follow(nudges: Mailbox) -> None:
    follower: Follower | None = None
    calm = Calm()
    pruned_at = now()
    is_lost = False
    while True:
        at = now()
        try:
            follower = follower or await in_thread(Follower.beginning)(at=at)
            tell(calm.take_due(await in_thread(follower.take_new)(at=at), at=at), broadcast)
            if at - pruned_at > PRUNE_EVERY:
                pruned_at = at
                await in_thread(forget_changes)(at=at)
        except DatabaseError as error:
            if not is_lost:
                log.warning("changes.lost", reason=str(error))
            is_lost = True
        else:
            if is_lost:
                log.info("changes.found_again")
            is_lost = False
        await _nudged(nudges, is_holding=calm.is_holding)


async def _nudged(nudges: Mailbox, *, is_holding: bool) -> None:
    """Wait until something may have changed, or what is held back may be due."""
    await asyncio.sleep(APART_S)
    is_patient = broadcast.is_relayed and not is_holding
    with suppress(TimeoutError):
        async with asyncio.timeout(RELAYED_POLL_S if is_patient else POLL_S):
            await nudges.take()


changes_followed = WhileNeeded(follow_changes)
"""This web process's."""
