"""`GET /healthz`: is the hub ready, what runs here, how far behind is it."""

import platform
import sqlite3
from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus

import django
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from processing.wire.version import VERSION
from webapp.common.clock import now
from webapp.common.database import has_pending_migrations
from webapp.fleet.models import Agent
from webapp.gateway.queries import gateway_load
from webapp.inference.standing import tier_lag_s
from webapp.jobs.queries import has_live_worker
from webapp.results.queries import newest_result


class NotReady(Exception):
    """The hub cannot serve yet; the text says what is missing."""


@dataclass(frozen=True)
class Readiness:
    """How the hub is, as of one moment; no secrets, no names."""

    newest_result_at: datetime | None
    """When the newest stored result was captured."""
    lag_s: float | None
    """From its capture to its arrival: how far the table is behind the cameras."""
    n_agents_online: int
    is_worker_alive: bool
    tier_lag_s: float | None
    """Since an inference tier was heard of; None where none ever was."""


@require_safe
@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - a view
    """Answer 200 when ready, else 503 with the reason."""
    try:
        _refuse_unmigrated()
        readiness = read_readiness(at=now())
    except (NotReady, DatabaseError) as error:
        why = str(error) if isinstance(error, NotReady) else "the database does not answer"
        body: dict[str, object] = {"status": "unavailable", "reason": why, **versions()}
        status = HTTPStatus.SERVICE_UNAVAILABLE
    else:
        body = {"status": "ok", **versions(), **asdict(readiness), **asdict(gateway_load())}
        status = HTTPStatus.OK
    response = JsonResponse(body, status=status)
    response["Cache-Control"] = "no-store"
    return response


def versions() -> dict[str, object]:
    """Return what runs here."""
    return {
        "version": VERSION,
        "python": platform.python_version(),
        "django": django.get_version(),
        "database": database_version(),
    }


def database_version() -> str:
    """Return the database and its version; the library's own, so that it works without a server."""
    if connection.vendor == "sqlite":
        return f"sqlite {sqlite3.sqlite_version}"
    if connection.connection is None:
        return connection.vendor
    return f"{connection.vendor} {'.'.join(map(str, connection.get_database_version()))}"


def read_readiness(*, at: datetime) -> Readiness:
    """Read how the hub is doing; raise `DatabaseError` when it cannot."""
    newest = newest_result()
    agents = Agent.objects.filter(is_connected=True).only("is_connected", "last_seen_at")
    return Readiness(
        newest_result_at=newest.captured_at if newest else None,
        lag_s=round((newest.received_at - newest.captured_at).total_seconds(), 3)
        if newest
        else None,
        n_agents_online=sum(agent.is_online(at=at) for agent in agents),
        is_worker_alive=has_live_worker(at=at),
        tier_lag_s=tier_lag_s(at=at) if settings.TIER_URL else None,
    )


_migrated: list[bool] = []


def _refuse_unmigrated() -> None:
    """Raise `NotReady` while migrations are pending; once they are not, they never will be."""
    if _migrated:
        return
    if has_pending_migrations():
        raise NotReady("migrations are pending: run `manage.py migrate`")
    _migrated.append(True)
