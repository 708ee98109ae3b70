"""How the hub is: the lag of every stage from camera to browser, and what it runs on."""

import os
import platform
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final, Literal

import django
from django.conf import settings
from django.db import connection
from django.db.models import Count, Min

from processing.wire.version import VERSION
from webapp.accounts.models import Role, User
from webapp.fleet.models import Agent, Camera
from webapp.gateway.ingest.figures import RECENT_ACKS
from webapp.gateway.queries import GatewayLoad, gateway_load
from webapp.inference.standing import TierRow, tier_rows
from webapp.jobs.models import Job, Worker
from webapp.jobs.queries import SILENT
from webapp.results.models import CameraMinute, Result

Level = Literal["ok", "warn", "err", "idle"]
LATELY: Final = timedelta(minutes=5)
_N_RESULTS: Final = 400
_MINUTE: Final = 60
_LOW_DISK: Final = 0.1
_FULL_DISK: Final = 0.03


@dataclass(frozen=True, slots=True)
class Stage:
    """One step on the way of a result."""

    name: str
    icon: str
    words: str
    seconds: float | None
    """The lag that it adds; None where nothing came by of late."""
    level: Level

    @property
    def figure(self) -> str:
        """Return the lag as people read it; empty where there is none to tell."""
        if self.seconds is None:
            return ""
        if self.seconds < 1:
            return f"{self.seconds * 1000:.0f} ms"
        is_short = self.seconds < _MINUTE
        return f"{self.seconds:.1f} s" if is_short else f"{self.seconds / _MINUTE:.0f} min"


@dataclass(frozen=True, slots=True)
class Disk:
    """Where the hub keeps its files."""

    free: int
    total: int

    @property
    def used_percent(self) -> int:
        return round(100 * (1 - self.free / self.total)) if self.total else 0

    @property
    def level(self) -> Level:
        share = self.free / self.total if self.total else 0.0
        return "err" if share < _FULL_DISK else "warn" if share < _LOW_DISK else "ok"


@dataclass(frozen=True, slots=True)
class JobsAtHand:
    """The actor's organizations' jobs that are not done."""

    n_waiting: int
    n_running: int
    n_failed: int
    oldest_s: float | None


@dataclass(frozen=True, slots=True)
class Health:
    """All that the page shows."""

    stages: tuple[Stage, ...]
    n_agents: int
    n_agents_online: int
    n_pending: int
    load: GatewayLoad
    jobs: JobsAtHand
    workers: tuple[Worker, ...]
    tiers: tuple[TierRow, ...] | None
    """None where this hub is to have no inference tier."""
    disk: Disk
    database: str
    database_bytes: int | None
    versions: tuple[tuple[str, str], ...]
    process: int


def read_health(actor: User, *, at: datetime) -> Health:
    """Read how the hub is, for what `actor` operates."""
    agents = list(Agent.objects.for_actor(actor, Role.OPERATOR).filter(is_revoked=False))
    online = [agent for agent in agents if agent.is_online(at=at)]
    usage = shutil.disk_usage(settings.DATA_DIR)
    return Health(
        stages=_stages(actor, online, at=at),
        n_agents=len(agents),
        n_agents_online=len(online),
        n_pending=sum(agent.n_pending for agent in agents),
        load=gateway_load(),
        jobs=_jobs(actor, at=at),
        workers=tuple(Worker.objects.filter(seen_at__gte=at - SILENT).order_by("started_at")),
        tiers=tuple(tier_rows(at=at)) if settings.TIER_URL else None,
        disk=Disk(usage.free, usage.total),
        database=_database(),
        database_bytes=_database_bytes(),
        versions=(
            ("Farwatch", VERSION),
            ("Python", platform.python_version()),
            ("Django", django.get_version()),
        ),
        process=os.getpid(),
    )


def _stages(actor: User, online: list[Agent], *, at: datetime) -> tuple[Stage, ...]:
    """Return the way of a result; medians over the last minutes, the commit's slowest of twenty."""
    lately = list(
        Result.objects.for_actor(actor, Role.OPERATOR)
        .filter(captured_at__gte=at - LATELY)
        .values_list("captured_at", "received_at", "latency_ms")[:_N_RESULTS]
    )
    seen = median(latency / 1000 for _, _, latency in lately) if lately else None
    wire = (
        median(
            max((received - captured).total_seconds() - latency / 1000, 0.0)
            for captured, received, latency in lately
        )
        if lately
        else None
    )
    acks = sorted(RECENT_ACKS)
    commit = acks[int(0.95 * (len(acks) - 1))] if acks else None
    counted = CameraMinute.objects.for_actor(actor, Role.OPERATOR)
    is_counted = counted.filter(minute_at__gte=at - LATELY - timedelta(minutes=1)).exists()
    rollup = 0.0 if is_counted else None
    n_online = Camera.objects.filter(agent__in=online, state=Camera.State.ONLINE).count()
    cameras = f"{n_online} online"
    return (
        Stage("Cameras", "camera", cameras, None, "ok" if n_online else "idle"),
        Stage("Agent", "agent", "captured to judged", seen, _level(seen, 0.3, 1.0)),
        Stage("Wire", "key", "judged to received", wire, _level(wire, 2.0, 30.0)),
        Stage("Commit", "check", "received to stored", commit, _level(commit, 0.5, 3.0)),
        Stage("Counts", "chart", "in the same commit", rollup, _level(rollup, 1.0, 2.0)),
        Stage("Browser", "overview", "there and back", None, "idle"),
    )


def _level(seconds: float | None, warn: float, err: float) -> Level:
    if seconds is None:
        return "idle"
    return "err" if seconds >= err else "warn" if seconds >= warn else "ok"


def _jobs(actor: User, *, at: datetime) -> JobsAtHand:
    mine = Job.objects.for_actor(actor, Role.OPERATOR).order_by()
    states = (Job.State.WAITING, Job.State.RUNNING, Job.State.FAILED)
    counts = mine.filter(state__in=states).values_list("state").annotate(Count("pk"))
    n_in = {str(state): n_jobs for state, n_jobs in counts}
    since = mine.filter(state=Job.State.WAITING).aggregate(since=Min("created_at"))["since"]
    return JobsAtHand(
        n_waiting=n_in.get(Job.State.WAITING, 0),
        n_running=n_in.get(Job.State.RUNNING, 0),
        n_failed=n_in.get(Job.State.FAILED, 0),
        oldest_s=(at - since).total_seconds() if since else None,
    )


def _database() -> str:
    version = ".".join(map(str, connection.get_database_version()))
    return f"{connection.display_name} {version}"


def _database_bytes() -> int | None:
    """Return how large the database is; None where nobody can tell."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            row = cursor.fetchone()
        return int(row[0]) if row else None
    path = Path(str(connection.settings_dict["NAME"]))
    return path.stat().st_size if path.is_file() else None
