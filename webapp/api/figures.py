"""What the whole hub has, read from its database when Prometheus asks; no names in any label."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import Count, Min, Sum
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from processing.wire.version import VERSION
from webapp.api.health import database_version
from webapp.common.clock import now
from webapp.common.metrics import DATABASE_ERRORS
from webapp.fleet.models import Agent, Camera
from webapp.gateway.queries import gateway_load
from webapp.jobs.models import Job, Worker
from webapp.jobs.queries import SILENT
from webapp.results.queries import newest_result
from webapp.review.models import ReviewItem

_OPEN: Final = (Job.State.WAITING, Job.State.RUNNING, Job.State.FAILED)


class HubFigures(Collector):
    """The same from every process of a hub, but for the first two."""

    def describe(self) -> list[GaugeMetricFamily]:
        """Return nothing: what is there is known when somebody asks."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from _of_process()
        at, is_up = now(), True
        try:
            found = [*_of_jobs(at), *_of_fleet(at)]
        except DatabaseError:
            DATABASE_ERRORS.labels("metrics").inc()
            found, is_up = [], False
        yield _one("farwatch_database_up", "1 while the database answers", float(is_up))
        yield from found


def _of_process() -> Iterator[GaugeMetricFamily]:
    load = gateway_load()
    yield _one("farwatch_agents_connected", "Agents at this process", load.n_agents_connected)
    yield _one(
        "farwatch_entries_waiting", "Received here, not yet committed", load.n_entries_waiting
    )
    disk = shutil.disk_usage(settings.DATA_DIR)
    yield _one("farwatch_disk_free_bytes", "Left where the hub keeps its files", disk.free)
    yield _one("farwatch_disk_bytes", "There in all", disk.total)
    info = GaugeMetricFamily("farwatch_info", "What runs here", labels=("version", "database"))
    info.add_metric((VERSION, database_version()), 1)
    yield info


def _of_jobs(at: datetime) -> Iterator[GaugeMetricFamily]:
    jobs = GaugeMetricFamily("farwatch_jobs", "Jobs not done", labels=("kind", "state"))
    open_jobs = Job.objects.filter(state__in=_OPEN).order_by()
    for kind, state, n_jobs in open_jobs.values_list("kind", "state").annotate(Count("pk")):
        jobs.add_metric((kind, state), n_jobs)
    yield jobs
    ages = GaugeMetricFamily(
        "farwatch_job_oldest_waiting_seconds", "How long a job has waited", labels=("kind",)
    )
    waiting = Job.objects.filter(state=Job.State.WAITING).order_by()
    for kind, since in waiting.values_list("kind").annotate(Min("created_at")):
        ages.add_metric((kind,), max((at - since).total_seconds(), 0.0))
    yield ages
    alive = Worker.objects.filter(seen_at__gte=at - SILENT).count()
    yield _one("farwatch_workers", "Workers that were heard of lately", alive)
    n_items = ReviewItem.objects.filter(state=ReviewItem.State.OPEN).count()
    yield _one("farwatch_review_items_open", "Pictures that wait for a labeler", n_items)


def _of_fleet(at: datetime) -> Iterator[GaugeMetricFamily]:
    agents = Agent.objects.filter(is_revoked=False)
    connected = agents.filter(is_connected=True).only("is_connected", "last_seen_at")
    n_online = sum(agent.is_online(at=at) for agent in connected)
    of_state = GaugeMetricFamily("farwatch_agents", "Agents that are enrolled", labels=("state",))
    of_state.add_metric(("online",), n_online)
    of_state.add_metric(("offline",), agents.count() - n_online)
    yield of_state
    cameras = GaugeMetricFamily("farwatch_cameras", "As agents report them", labels=("state",))
    enabled = Camera.objects.filter(is_enabled=True).order_by()
    for state, n_cameras in enabled.values_list("state").annotate(Count("pk")):
        cameras.add_metric((state,), n_cameras)
    yield cameras
    kept = agents.aggregate(total=Sum("n_pending"))["total"] or 0
    yield _one("farwatch_agents_pending_entries", "Kept by agents, by their last report", kept)
    if (newest := newest_result()) is not None:
        age_s = max((at - newest.captured_at).total_seconds(), 0.0)
        yield _one("farwatch_newest_result_age_seconds", "Since it was captured", age_s)


def _one(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)
