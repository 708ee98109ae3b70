"""How much arrives right now, for the pages of whoever looks."""

from collections import defaultdict, deque
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from processing.wire.browser import Counters, encode
from webapp.common.broadcast import Broadcast
from webapp.gateway.connection import Connections
from webapp.gateway.shares import Shares, total

WINDOW: Final = timedelta(seconds=5)


class Tally:
    """The results of one organization since the hub started, and their rate of late."""

    def __init__(self, *, at: datetime) -> None:
        self.n_results = 0
        self._since = at
        self._recent: deque[tuple[datetime, int]] = deque()

    def add(self, n_results: int, *, at: datetime) -> None:
        self.n_results += n_results
        self._recent.append((at, n_results))
        self._forget(at)

    def per_s(self, *, at: datetime) -> float:
        """Return results a second over the last few seconds."""
        self._forget(at)
        window_s = min(WINDOW, at - self._since).total_seconds()
        return sum(n for _, n in self._recent) / window_s if window_s > 0 else 0.0

    def _forget(self, at: datetime) -> None:
        while self._recent and at - self._recent[0][0] > WINDOW:
            self._recent.popleft()


class Tallies:
    """Every organization's; published while somebody listens."""

    def __init__(self, connections: Connections, broadcast: Broadcast) -> None:
        self._connections = connections
        self._broadcast = broadcast
        self._of_organization: dict[UUID, Tally] = {}
        self._shares = Shares(broadcast)
        self.following = self._shares.following
        """Inside this block the other processes' counts are heard."""

    def add(self, organization_id: UUID, n_results: int, *, at: datetime) -> None:
        tally = self._of_organization.get(organization_id)
        if tally is None:
            tally = self._of_organization[organization_id] = Tally(at=at)
        tally.add(n_results, at=at)

    def publish(self, *, at: datetime) -> None:
        """Tell each organization with an audience how it stands, in all processes together."""
        here = {connection.session.organization_id for connection in self._connections}
        known = here | self._of_organization.keys() | self._shares.take_in(at=at)
        watched = {each for each in known if self._broadcast.has_audience(("organization", each))}
        if not watched:
            return
        n_agents: dict[UUID, int] = defaultdict(int)
        n_cameras: dict[UUID, int] = defaultdict(int)
        for connection in self._connections:
            organization_id = connection.session.organization_id
            n_agents[organization_id] += 1
            n_cameras[organization_id] += connection.n_cameras_online
        for organization_id in watched:
            tally = self._of_organization.get(organization_id) or Tally(at=at)
            counters = Counters(
                at=at,
                results_per_s=round(tally.per_s(at=at), 1),
                n_results=tally.n_results,
                n_agents_online=n_agents[organization_id],
                n_cameras_online=n_cameras[organization_id],
            )
            everywhere = total([counters, *self._shares.of(organization_id, at=at)])
            self._broadcast.deliver(
                ("organization", organization_id), "counters", encode(everywhere)
            )
            self._shares.publish(organization_id, counters)
