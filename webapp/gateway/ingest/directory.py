"""What the writer knows of agents without asking the database each time."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Final
from uuid import UUID

from processing.wire.messages import BundleState, StateReport
from webapp.common.rows import any_of, hold_rows
from webapp.fleet.actions import know_bundle, record_bundle
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.fleet.queries import cameras_of
from webapp.results.arrivals import Key
from webapp.results.queries import LaneKey, read_cursors

_MOST_AGENTS: Final = 5_000
_MOST_BUNDLES: Final = 64
_MOST_NAMED: Final = 1_024
_MOST_LABELS: Final = 2**15
_TELLING: Final = ("session", "desired_version", "is_revoked", "is_connected", "name")
"""Columns of an agent's row that are read every time. While they stay, so does what was read with
them: all else of interest changes with one of these, or is changed by the writer."""
_telling_of: Final = attrgetter(*_TELLING)


class TooManyBundles(Exception):
    """No agent runs so many; its results are not to be believed."""


@dataclass(frozen=True, slots=True)
class KnownBundle:
    row: Bundle
    key: Key
    n_labels: int
    """As many as the minutes can count while nobody has named them."""


@dataclass(frozen=True, slots=True)
class KnownCamera:
    row: Camera
    key: Key
    zones: frozenset[UUID]
    """Of its scene."""


@dataclass(slots=True)
class Known:
    """An agent as it was when its row said so."""

    row: Agent
    cameras: dict[int, KnownCamera]
    """By the number that is the id: a UUID's own hash and equality take ten times as long."""
    bundles: dict[bytes, KnownBundle]
    cursors: dict[LaneKey, int] = field(default_factory=dict)
    """Of the lanes that were asked for: nobody else moves them while the session is the same."""

    def is_as(self, telling: Sequence[object]) -> bool:
        """Return whether nothing happened since, by the columns that tell."""
        return _telling_of(self.row) == tuple(telling)


class Directory:
    """Used by the writer's thread alone, inside its transactions; emptied when one fails."""

    def __init__(self) -> None:
        self._of_agent: dict[UUID, Known] = {}
        self._named: dict[tuple[UUID, bytes], KnownBundle] = {}
        """Of an organization, by digest: its agents run the same, and a name is for good."""

    def forget_all(self) -> None:
        self._of_agent.clear()
        self._named.clear()

    def hold(self, agent_ids: Collection[UUID]) -> dict[UUID, Agent]:
        """Lock the rows of agents, always in the same order; return those that there are."""
        held = hold_rows("fleet_agent", _TELLING, agent_ids)
        if len(self._of_agent.keys() | held.keys()) > _MOST_AGENTS:
            self.forget_all()
        self._meet({key for key, telling in held.items() if not self._is_as(key, telling)})
        return {agent_id: self._of_agent[agent_id].row for agent_id in held}

    def _is_as(self, agent_id: UUID, telling: Sequence[object]) -> bool:
        known = self._of_agent.get(agent_id)
        return known is not None and known.is_as(telling)

    def _meet(self, agent_ids: Collection[UUID]) -> None:
        """Read what is not known of these agents, or no longer true; their rows are held.

        After a restart that is all of them: two queries for a group then, not two for each.
        """
        if not agent_ids:
            return
        agents = list(Agent.objects.filter(pk__in=any_of(agent_ids)))
        cameras = cameras_of(agents)
        for agent in agents:
            known = self._of_agent.get(agent.id)
            self._of_agent[agent.id] = Known(
                agent,
                {
                    row.id.int: KnownCamera(row, row.id.hex, _zones(row))
                    for row in cameras[agent.id]
                },
                known.bundles if known else {},
            )

    def of_agent(self, agent: Agent) -> Known:
        """Return what is known of an agent whose row is held."""
        return self._of_agent[agent.id]

    def read_cursors(self, keys: Iterable[LaneKey]) -> dict[LaneKey, int]:
        """Return through which seq each lane of agents, whose rows are held, is committed."""
        wanted = {key for key in keys if key.agent_id in self._of_agent}
        unknown = [key for key in wanted if key not in self._of_agent[key.agent_id].cursors]
        self.keep_cursors(read_cursors(unknown) if unknown else {})
        return {key: self._of_agent[key.agent_id].cursors[key] for key in wanted}

    def keep_cursors(self, through: Mapping[LaneKey, int]) -> None:
        for key, seq in through.items():
            self._of_agent[key.agent_id].cursors[key] = seq

    def bundle(self, agent: Agent, digest: bytes, *, at: datetime) -> KnownBundle:
        """Return the bundle; one that was never reported gets a row, so that no result is lost.

        Raises `TooManyBundles`.
        """
        bundles = self.of_agent(agent).bundles
        known = bundles.get(digest)
        if known is None:
            if len(bundles) >= _MOST_BUNDLES:
                raise TooManyBundles(f"an agent with more than {_MOST_BUNDLES} bundles")
            known = bundles[digest] = self._named.get((agent.organization_id, digest)) or _known(
                know_bundle(agent, digest, at=at)
            )
        return known

    def learn(self, agent: Agent, report: StateReport, *, at: datetime) -> None:
        """Take over what the agent reports of its bundles."""
        bundles = self.of_agent(agent).bundles
        for state in report.bundles:
            known = bundles.get(state.digest)
            if len(bundles) >= _MOST_BUNDLES:
                bundles.clear()
            if known is None or not known.row.labels:  # who reports its labels first has named it
                bundles[state.digest] = self._recorded(agent, state, at=at)

    def _recorded(self, agent: Agent, state: BundleState, *, at: datetime) -> KnownBundle:
        """Return the bundle that an agent reports; once it is named, for all of its agents."""
        key = agent.organization_id, state.digest
        known = self._named.get(key) or _known(record_bundle(agent, state, at=at))
        if known.row.labels:
            if len(self._named) >= _MOST_NAMED:
                self._named.clear()
            self._named[key] = known
        return known


def _zones(camera: Camera) -> frozenset[UUID]:
    return frozenset(UUID(zone["zone_id"]) for zone in camera.scene.get("zones", ()))


def _known(row: Bundle) -> KnownBundle:
    return KnownBundle(row, row.id.hex, len(row.labels) or _MOST_LABELS)
