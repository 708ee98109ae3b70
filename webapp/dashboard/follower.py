"""Follows the table of changes and tells the browsers of each organization, while any listens.

A row's id is given before its transaction commits, so a lower id may appear after a higher one;
the follower therefore looks back over everything made within `OVERLAP` and skips what it has told.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

import structlog
from django.db import Error as DatabaseError

from processing.wire.browser import Changed, Topic, encode
from webapp.common.broadcast import Broadcast, broadcast
from webapp.common.changes import changes_after, forget_changes, newest_change_id
from webapp.common.clock import now
from webapp.dashboard.database import in_thread
from webapp.dashboard.needed import WhileNeeded

POLL_S: Final = 0.5
OVERLAP: Final = timedelta(seconds=10)
PRUNE_EVERY: Final = timedelta(minutes=1)

log = structlog.get_logger(__name__)


class Follower:
    """Where one web process is in the table of changes."""

    def __init__(self, *, floor: int) -> None:
        self._floor = floor
        """Every change up to here has been told."""
        self._told: dict[int, datetime] = {}
        """What has been told beyond it, and when."""

    def take_new(self, *, at: datetime) -> set[tuple[UUID, Topic]]:
        """Return which topics of which organizations changed since the last call."""
        fresh = [change for change in changes_after(self._floor) if change.pk not in self._told]
        self._told |= dict.fromkeys((change.pk for change in fresh), at)
        settled = [key for key, told_at in self._told.items() if at - told_at > OVERLAP]
        self._floor = max(settled, default=self._floor)
        self._told = {key: told for key, told in self._told.items() if key > self._floor}
        return {(change.organization_id, cast("Topic", change.topic)) for change in fresh}


def tell(changes: set[tuple[UUID, Topic]], to: Broadcast) -> None:
    """Publish each change once to whoever shows that organization."""
    for organization_id, topic in changes:
        payload = encode(Changed(topic=topic))
        to.publish(("organization", organization_id), f"changed:{topic}", payload)


async def follow_changes() -> None:
    """Follow for ever; a database that does not answer is asked again."""
    follower: Follower | None = None
    pruned_at = now()
    is_lost = False
    while True:
        at = now()
        try:
            follower = follower or Follower(floor=await in_thread(newest_change_id)())
            tell(await in_thread(follower.take_new)(at=at), broadcast)
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
        await asyncio.sleep(POLL_S)


changes_followed = WhileNeeded(follow_changes)
"""This web process's."""
