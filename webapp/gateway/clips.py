"""Clips that people want to see: agents are told by whichever process they are connected to.

Level-triggered, from the database: what another process was asked for, or what was wanted before
the agent came back, is told within a second of either.
"""

from datetime import datetime
from typing import Final

from processing.wire.messages import ClipDemand, ClipWanted
from webapp.events.queries import read_wanted_clips
from webapp.gateway.connection import Connections
from webapp.gateway.database import DatabaseThread
from webapp.gateway.uploads import upload_path

MOST_AT_ONCE: Final = 16
"""Of one agent; further ones wait their turn."""


class Clips:
    """Tells each connected agent which of its clips are wanted."""

    def __init__(self, connections: Connections, database: DatabaseThread) -> None:
        self._connections = connections
        self._database = database

    async def follow(self, *, at: datetime) -> None:
        """Tell what changed since the last time; what is still wanted after a while, again."""
        connections = list(self._connections)
        if not connections:
            return
        wanted = await self._database.call(
            read_wanted_clips,
            [connection.session.agent_id for connection in connections],
            most=MOST_AT_ONCE,
            at=at,
        )
        for connection in connections:
            agent_id = connection.session.agent_id
            clip_ids = wanted.get(agent_id, ())
            if not connection.clips.is_due(clip_ids, at=at):
                continue
            connection.clips.tell(clip_ids, at=at)
            demand = ClipDemand(
                wanted=tuple(
                    ClipWanted(clip_id=clip_id, upload_path=upload_path(agent_id, clip_id))
                    for clip_id in clip_ids
                )
            )
            connection.outbound.want_clips(demand)
