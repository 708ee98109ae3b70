"""Reads for the dashboard's pages. Each starts at `for_actor`, so it sees what its user may see."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum

from webapp.accounts.models import Role, User
from webapp.dashboard.counts import seen_since
from webapp.dashboard.standing import (
    Standing,
    agent_problems,
    agent_standing,
    agent_urgency,
    camera_standing,
    camera_urgency,
)
from webapp.datasets.models import Sample
from webapp.events.models import Event
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.fleet.queries import agent_is_online
from webapp.results.models import CameraMinute
from webapp.review.models import ReviewItem

MAX_CARDS: Final = 300
MAX_AGENTS: Final = 500
_ON_CARD: Final = (
    "name", "state", "state_reason", "state_since_at", "fps", "is_enabled", "agent__name",
    "agent__is_revoked", "agent__is_connected", "agent__last_seen_at", "agent__site__name",
)  # fmt: skip
"""All that is read of the rows behind a card."""
COUNTED: Final = timedelta(hours=1)
"""How far back the counts on a camera's card reach."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The figures on top of the overview."""

    results_per_s: float
    n_agents: int
    n_agents_online: int
    n_cameras: int
    n_cameras_online: int
    n_waiting: int


@dataclass(frozen=True, slots=True)
class CameraCard:
    """One camera on the wall."""

    camera: Camera
    standing: Standing
    poster_id: UUID | None
    """The newest sample with a picture, for when there is no live one."""
    seen: tuple[tuple[str, int], ...]
    """Classes and how many of each were seen within `COUNTED`, most first."""
    n_other: int
    """Objects of further classes."""


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One agent in the list."""

    agent: Agent
    standing: Standing
    problems: tuple[str, ...]
    cameras: tuple[tuple[Camera, Standing], ...]


def headline(actor: User, *, at: datetime) -> Headline:
    """Return the overview's figures as of now; the socket keeps them true after that."""
    agents = (
        Agent.objects.for_actor(actor)
        .filter(is_revoked=False)
        .aggregate(total=Count("pk"), online=Count("pk", filter=agent_is_online(at=at)))
    )
    gives_pictures = Q(state=Camera.State.ONLINE, agent__is_revoked=False)
    cameras = Camera.objects.for_actor(actor).aggregate(
        total=Count("pk", filter=Q(is_enabled=True)),
        online=Count("pk", filter=gives_pictures & agent_is_online("agent__", at=at)),
    )
    minute = at.replace(second=0, microsecond=0) - timedelta(minutes=1)
    n_results = (
        CameraMinute.objects.for_actor(actor)
        .filter(minute_at=minute)
        .aggregate(total=Sum("n_results"))["total"]
    )
    return Headline(
        results_per_s=(n_results or 0) / 60,
        n_agents=agents["total"],
        n_agents_online=agents["online"],
        n_cameras=cameras["total"],
        n_cameras_online=cameras["online"],
        n_waiting=n_waiting(actor),
    )


def n_agents(actor: User) -> int:
    """Return how many agents there are, revoked ones too."""
    return Agent.objects.for_actor(actor).count()


def n_waiting(actor: User) -> int:
    """Return how many items wait for a labeler."""
    return ReviewItem.objects.for_actor(actor).filter(state=ReviewItem.State.OPEN).count()


def camera_cards(actor: User, *, at: datetime) -> list[CameraCard]:
    """Return the camera wall: what needs a person first, then by name; at most `MAX_CARDS`."""
    newest = Sample.objects.filter(camera=OuterRef("pk"), state=Sample.State.READY)
    cameras = list(
        Camera.objects.for_actor(actor)
        .select_related("agent__site")
        .only(*_ON_CARD)
        .annotate(poster_id=Subquery(newest.order_by("-captured_at").values("pk")[:1]))
        .order_by(camera_urgency(at=at), "name")[:MAX_CARDS]
    )
    bundles = {bundle.pk: bundle for bundle in Bundle.objects.for_actor(actor)}
    seen = seen_since(cameras, bundles, since=at - COUNTED)
    cards = [
        CameraCard(
            camera=camera,
            standing=camera_standing(camera, at=at),
            poster_id=camera.poster_id,
            seen=tuple(seen.get(camera.pk, ())[:3]),
            n_other=sum(n for _, n in seen.get(camera.pk, ())[3:]),
        )
        for camera in cameras
    ]
    return sorted(cards, key=lambda card: (card.standing.urgency, card.camera.name.casefold()))


def agent_rows(
    actor: User, *, at: datetime, with_cameras: bool = False, most: int = MAX_AGENTS
) -> list[AgentRow]:
    """Return the agents: what needs a person first, then by name."""
    agents = Agent.objects.for_actor(actor).select_related("site")
    if with_cameras:
        agents = agents.prefetch_related("cameras")
    rows = [
        AgentRow(
            agent=agent,
            standing=agent_standing(agent, at=at),
            problems=agent_problems(agent),
            cameras=_cameras_of(agent, at=at) if with_cameras else (),
        )
        for agent in agents.order_by(agent_urgency(at=at), "name")[:most]
    ]
    return sorted(rows, key=lambda row: (row.standing.urgency, row.agent.name.casefold()))


def _cameras_of(agent: Agent, *, at: datetime) -> tuple[tuple[Camera, Standing], ...]:
    return tuple((camera, camera_standing(camera, at=at)) for camera in agent.cameras.all())


def events_for(actor: User) -> QuerySet[Event]:
    """Return the events that an operator sees, newest first, with what they are about."""
    events = Event.objects.for_actor(actor, Role.OPERATOR)
    events = events.select_related(
        "camera", "agent", "thumbnail", "acknowledged_by", "false_alarm_by"
    )
    return events.order_by("-occurred_at", "-pk")


def last_samples(camera: Camera, *, n: int) -> list[Sample]:
    """Return the newest samples with a picture, with their review items."""
    samples = Sample.objects.filter(camera=camera, state=Sample.State.READY)
    return list(samples.select_related("review_item").order_by("-captured_at")[:n])
