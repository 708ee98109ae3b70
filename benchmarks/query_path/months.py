"""Ninety days of a hundred cameras: `python -m … N` fills a database, reads charts, prints JSON."""

import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from statistics import median
from typing import Final
from uuid import UUID

import msgspec

from webapp.env import default_settings_module

default_settings_module()

import django  # noqa: E402 - after the settings are named

django.setup()

from django.core.management import call_command  # noqa: E402 - after Django is set up
from django.db import connection  # noqa: E402 - same
from django.test import Client  # noqa: E402 - same
from django.test.utils import CaptureQueriesContext  # noqa: E402 - same
from django.urls import reverse  # noqa: E402 - same

from benchmarks.ingest_path.rows import make_tables  # noqa: E402 - same
from benchmarks.ingest_path.traffic import LABELS, Tables  # noqa: E402 - same
from benchmarks.query_path.counts import Span  # noqa: E402 - same
from benchmarks.query_path.raw import copy_raw  # noqa: E402 - same
from webapp.accounts.models import Membership, Role, User  # noqa: E402 - same
from webapp.common.clock import now  # noqa: E402 - same
from webapp.fleet.models import Bundle  # noqa: E402 - same
from webapp.results.counted import ALL  # noqa: E402 - same
from webapp.results.days import ONE_HOUR, begin_of_day, begin_of_hour  # noqa: E402 - same
from webapp.results.folding import fold  # noqa: E402 - same
from webapp.results.models import Folded  # noqa: E402 - same

N_CAMERAS: Final = 100
N_DAYS: Final = 90
N_READS: Final = 25
N_FOLDED: Final = 24
"""Hours that are folded while it is timed; with one of them a day."""
RESTING: Final = timedelta(hours=2)
ZONE: Final = UUID(int=1)


def fill(tables: Tables, *, n_raw: int, end: datetime) -> None:
    """Write as many raw rows, spread over the days, and the counts of every camera.

    Hours and days are folded but those of the last day. The last camera has had another bundle
    each day.
    """
    days = [begin_of_day(end) - timedelta(days=N_DAYS - day) for day in range(N_DAYS + 1)]
    cameras = [spec.camera_id for spec in tables.agents]
    until = begin_of_hour(end) - N_FOLDED * ONE_HOUR - RESTING
    with connection.cursor() as cursor:
        # Of millions of made-up rows, what they point at need not be looked up, nor a crash feared.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
    copy_raw(tables, days, n_raw=n_raw)
    bundles = [bundle.pk for bundle in _make_bundles(tables, len(days), at=end)]
    hours = Span(tables.organization_id, "hour", days[0], (until - days[0]) // ONE_HOUR)
    minutes = Span(tables.organization_id, "minute", until, (end - until) // timedelta(minutes=1))
    for span in (hours, minutes):
        span.watch(cameras)
        span.see(cameras[:-1], [tables.bundle_id])
        span.see(cameras[-1:], bundles)
        span.enter(cameras, ZONE, tables.bundle_id)
    Span(tables.organization_id, "hour", days[0], (end - days[0]) // ONE_HOUR + 1).measure(cameras)
    with connection.cursor() as cursor:
        rows = [(camera, days[0], begin_of_day(until)) for camera in cameras]
        for counted in ALL:
            cursor.executemany(counted.adding_up("day", "hour"), rows)
        Folded.objects.create(until=until)
        # What is timed from here on is what the hub does.
        cursor.execute("RESET session_replication_role")
        cursor.execute("RESET synchronous_commit")


def _make_bundles(tables: Tables, n: int, *, at: datetime) -> list[Bundle]:
    return Bundle.objects.bulk_create(
        Bundle(
            organization_id=tables.organization_id,
            digest=f"{number:032x}",
            name="benchmark",
            version=str(number),
            labels=LABELS,
            first_seen_at=at,
        )
        for number in range(n)
    )


def read_charts(tables: Tables) -> dict[str, float]:
    """Return how long the hub takes for what each chart draws, and what its plans touch."""
    counts, quality = (
        [reverse(name, args=[tables.agents[at].camera_id]) for at in (N_CAMERAS // 2, -1)]
        for name in ("camera_counts", "camera_quality")
    )
    charts = {
        "counts_90d": f"{counts[0]}?span=90d",
        "counts_90d_91_bundles": f"{counts[1]}?span=90d",
        "counts_90d_zone": f"{counts[0]}?span=90d&zone={ZONE}",
        "counts_30d": f"{counts[0]}?span=30d",
        "quality_90d": f"{quality[0]}?span=90d",
    }
    client = _logged_in(tables)
    figures: dict[str, float] = {}
    for name, address in charts.items():
        took = [_milliseconds(partial(_read, client, address)) for _ in range(N_READS)]
        figures |= {f"{name}_ms": median(took), f"{name}_worst_ms": max(took)}
    with CaptureQueriesContext(connection) as asked:
        for address in charts.values():
            _read(client, address)
    plans = [_plan(query["sql"]) for query in asked.captured_queries]
    return figures | {"plans_touching_raw_rows": float(sum("results_result" in p for p in plans))}


def _logged_in(tables: Tables) -> Client:
    user = User.objects.create(username="operator")
    Membership.objects.create(user=user, organization_id=tables.organization_id, role=Role.OPERATOR)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


def _read(client: Client, address: str) -> None:
    answer = client.get(address)
    if answer.status_code != HTTPStatus.OK:
        raise RuntimeError(f"{address}: {answer.status_code}")


def _milliseconds(read: Callable[[], None]) -> float:
    begun = time.perf_counter()
    read()
    return 1000.0 * (time.perf_counter() - begun)


def _plan(sql: str) -> str:
    if not sql.lstrip().startswith("SELECT"):
        return ""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(str(row[0]) for row in cursor.fetchall())


def main(n_raw: int) -> dict[str, float]:
    """Return the figures of a new database."""
    call_command("migrate", interactive=False, verbosity=0)
    end = now()
    tables = make_tables(N_CAMERAS)
    begun = time.perf_counter()
    fill(tables, n_raw=n_raw, end=end)
    filled = time.perf_counter()
    list(fold(end))
    folded = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return read_charts(tables) | {
        "fold_day_ms": 1000.0 * (folded - filled),
        "raw_rows": float(n_raw),
        "filled_s": filled - begun,
    }


if __name__ == "__main__":
    print(msgspec.json.encode(main(int(sys.argv[1]))).decode())
