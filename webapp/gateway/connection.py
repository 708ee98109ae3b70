"""One agent that is connected to this process, and all of them."""

import asyncio
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from processing.wire.limits import CREDIT_BATCHES
from processing.wire.messages import BundleState, DesiredState, StateReport
from webapp.gateway.handshake import Session
from webapp.gateway.outbound import Outbound
from webapp.inference.tokens import AGENT_TOKEN_S

if TYPE_CHECKING:
    from webapp.gateway.ingest.allowance import Limit
    from webapp.gateway.ingest.delivery import Delivery

MAX_IN_FLIGHT: Final = 2 * CREDIT_BATCHES
"""Batches (and gaps, which are small) of one agent on their way into the database; with so many
under way it is not listened to, and what it sends stays in its own buffers."""
_REPORT_EVERY: Final = timedelta(seconds=1)
_CLIPS_AGAIN: Final = timedelta(seconds=30)
_ACCESS_AGAIN: Final = timedelta(seconds=AGENT_TOKEN_S / 3)


class Reports:
    """What an agent says of itself: the newest, written once a second at the most."""

    def __init__(self) -> None:
        self.newest: StateReport | None = None
        self.n_bytes = 0
        self._is_due = False
        self._is_in_flight = False
        self._taken_at: datetime | None = None

    def put(self, report: StateReport, *, n_bytes: int) -> None:
        self.newest, self.n_bytes = report, n_bytes
        self._is_due = True

    def take(self, *, at: datetime) -> StateReport | None:
        """Return the newest report if it is to be written now; `settle` says that it was."""
        is_early = self._taken_at is not None and at - self._taken_at < _REPORT_EVERY
        if not self._is_due or self._is_in_flight or is_early:
            return None
        self._is_due, self._is_in_flight, self._taken_at = False, True, at
        return self.newest

    def settle(self) -> None:
        self._is_in_flight = False


class ToldClips:
    """Which clips an agent was told are wanted, and when: told anew as they change, and again."""

    def __init__(self) -> None:
        self._clip_ids: tuple[UUID, ...] = ()
        self._told_at: datetime | None = None

    def is_due(self, clip_ids: tuple[UUID, ...], *, at: datetime) -> bool:
        """Return whether the agent is to be told (again) that these are wanted."""
        if clip_ids != self._clip_ids:
            return True
        is_old = self._told_at is None or at - self._told_at >= _CLIPS_AGAIN
        return bool(clip_ids) and is_old

    def tell(self, clip_ids: tuple[UUID, ...], *, at: datetime) -> None:
        self._clip_ids, self._told_at = clip_ids, at


class ToldAccess:
    """When an agent was last given access, and which bundles it was told of."""

    def __init__(self) -> None:
        self._bundles: tuple[BundleState, ...] = ()
        self._told_at: datetime | None = None

    def is_due(self, bundles: tuple[BundleState, ...], *, at: datetime) -> bool:
        """Return whether the agent is to be told (again)."""
        told_at = self._told_at
        return told_at is None or bundles != self._bundles or at - told_at >= _ACCESS_AGAIN

    def tell(self, bundles: tuple[BundleState, ...], *, at: datetime) -> None:
        self._bundles, self._told_at = bundles, at


class Connection:
    """A session and what this process knows of it; lives on the event loop."""

    def __init__(self, session: Session, desired: DesiredState, *, at: datetime) -> None:
        self.session = session
        self.outbound = Outbound()
        self.reports = Reports()
        self.clips = ToldClips()
        self.access = ToldAccess()
        self.last_heard_at = at
        self.n_in_flight = 0
        self._has_room = asyncio.Event()
        self._has_room.set()
        self.held: dict[bool, deque[Delivery]] = {True: deque(), False: deque()}
        """What waits for its turn by the limits: alerts and events apart from the rest."""
        self.slowed_by: Limit | None = None
        """The limit that it was over, until people were told."""
        self.desired = desired
        self._camera_ids = _camera_ids(desired)

    def want(self, desired: DesiredState) -> None:
        """Tell the agent what is wanted of it from now on."""
        self.desired = desired
        self._camera_ids = _camera_ids(desired)
        self.outbound.desire(desired)

    def has_camera(self, camera_id: UUID) -> bool:
        return camera_id in self._camera_ids

    @property
    def n_cameras_online(self) -> int:
        """Return how many cameras give pictures, by the newest report."""
        cameras = self.reports.newest.cameras if self.reports.newest else ()
        return sum(camera.state == "online" for camera in cameras)

    def take_credit(self) -> None:
        """Count a batch in."""
        self.n_in_flight += 1
        if self.n_in_flight >= MAX_IN_FLIGHT:
            self._has_room.clear()

    def give_credit(self) -> None:
        """Count a batch out."""
        self.n_in_flight -= 1
        if self.n_in_flight < MAX_IN_FLIGHT:
            self._has_room.set()

    async def has_room(self) -> None:
        """Wait until less is under way than may be; nothing is read from the agent until then."""
        await self._has_room.wait()


def _camera_ids(desired: DesiredState) -> frozenset[UUID]:
    return frozenset(camera.camera_id for camera in desired.cameras)


class Connections:
    """At most one connection an agent."""

    def __init__(self) -> None:
        self._of_agent: dict[UUID, Connection] = {}

    def __len__(self) -> int:
        return len(self._of_agent)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._of_agent.values()))

    @property
    def agent_ids(self) -> list[UUID]:
        return list(self._of_agent)

    def add(self, connection: Connection) -> Connection | None:
        """Take in a connection; return the one that it supersedes, or itself if it is the older."""
        agent_id = connection.session.agent_id
        other = self._of_agent.get(agent_id)
        if other is not None and other.session.number > connection.session.number:
            return connection
        self._of_agent[agent_id] = connection
        return other

    def remove(self, connection: Connection) -> None:
        if self._of_agent.get(connection.session.agent_id) is connection:
            del self._of_agent[connection.session.agent_id]

    def of_camera(self, camera_id: UUID) -> Connection | None:
        """Return the connection of the agent that has this camera."""
        return next((each for each in self if each.has_camera(camera_id)), None)
