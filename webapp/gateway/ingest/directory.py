"""What the writer knows of agents without asking the database each time."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from processing.wire.messages import StateReport
from webapp.fleet.actions import know_bundle, record_report
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.results.bulk import Key

_MOST_AGENTS: Final = 5_000
_MOST_BUNDLES: Final = 64
_MOST_LABELS: Final = 2**15


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


@dataclass(slots=True)
class Known:
    """An agent as of a version of what is wanted of it."""

    desired_version: int
    cameras: dict[UUID, KnownCamera]
    bundles: dict[bytes, KnownBundle] = field(default_factory=dict)


class Directory:
    """Used by the writer's thread alone, inside its transactions; emptied when one fails."""

    def __init__(self) -> None:
        self._of_agent: dict[UUID, Known] = {}

    def forget_all(self) -> None:
        self._of_agent.clear()

    def of_agent(self, agent: Agent) -> Known:
        """Return what is known of an agent, whose row is held; its cameras follow its version."""
        known = self._of_agent.get(agent.id)
        if known is not None and known.desired_version == agent.desired_version:
            return known
        if len(self._of_agent) >= _MOST_AGENTS:
            self.forget_all()
        cameras = {row.id: KnownCamera(row, row.id.hex) for row in agent.cameras.all()}
        fresh = Known(agent.desired_version, cameras, known.bundles if known else {})
        self._of_agent[agent.id] = fresh
        return fresh

    def bundle(self, agent: Agent, digest: bytes, *, at: datetime) -> KnownBundle:
        """Return the bundle; one that was never reported gets a row, so that no result is lost.

        Raises `TooManyBundles`.
        """
        bundles = self.of_agent(agent).bundles
        known = bundles.get(digest)
        if known is None:
            if len(bundles) >= _MOST_BUNDLES:
                raise TooManyBundles(f"an agent with more than {_MOST_BUNDLES} bundles")
            row = know_bundle(agent, digest, at=at)
            known = KnownBundle(row, row.id.hex, len(row.labels) or _MOST_LABELS)
            bundles[digest] = known
        return known

    def report(self, agent: Agent, report: StateReport, *, at: datetime) -> None:
        """Take over what the agent reports, and what that says of its bundles."""
        record_report(agent, report, at=at)
        bundles = self.of_agent(agent).bundles
        for state in report.bundles:
            bundles.pop(state.digest, None)
