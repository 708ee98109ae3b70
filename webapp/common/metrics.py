"""What this process counts of itself, for Prometheus; no name of anybody's is ever a label.

Every process of a hub (web servers, workers) has its own and shows its own: ask each one. What is
in the database is the same whoever is asked; `webapp.api.figures` has that.
"""

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.process_collector import ProcessCollector

disable_created_metrics()  # type: ignore[no-untyped-call]  # half as many lines, nobody asks
REGISTRY: Final = CollectorRegistry(auto_describe=True)
"""Of this process; see `webapp.api.figures` for what is in the database."""
ProcessCollector(registry=REGISTRY)

_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SLOW: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

RESULTS_STORED: Final = Counter(
    "farwatch_results_stored", "Results that were new and are committed", registry=REGISTRY
)
ENTRIES_STORED: Final = Counter(
    "farwatch_entries_stored", "Entries of agents that are committed", ("lane",), registry=REGISTRY
)
COMMIT_SECONDS: Final = Histogram(
    "farwatch_commit_seconds",
    "How long the commit of a group of deliveries took",
    buckets=_FAST,
    registry=REGISTRY,
)
ACK_SECONDS: Final = Histogram(
    "farwatch_ack_seconds",
    "From the arrival of a delivery to its commit, when its agent is told",
    ("lane",),
    buckets=_FAST,
    registry=REGISTRY,
)
LANE_LAG_SECONDS: Final = Histogram(
    "farwatch_lane_lag_seconds",
    "From what an entry is about (the newest of a delivery) to its commit",
    ("lane",),
    buckets=_SLOW,
    registry=REGISTRY,
)
REFUSALS: Final = Counter(
    "farwatch_refusals", "Agents that were sent away", ("reason",), registry=REGISTRY
)
BROWSERS_CONNECTED: Final = Gauge(
    "farwatch_browser_sockets", "Live sockets of browsers to this process", registry=REGISTRY
)
PAYLOADS_SKIPPED: Final = Counter(
    "farwatch_payloads_skipped",
    "Live payloads that a newer one replaced before a slow browser took them",
    registry=REGISTRY,
)
DATABASE_ERRORS: Final = Counter(
    "farwatch_database_errors",
    "Times that the database was away or too busy",
    ("where",),
    registry=REGISTRY,
)
REQUEST_SECONDS: Final = Histogram(
    "farwatch_request_seconds",
    "How long answers to HTTP requests took",
    ("method", "status"),
    buckets=_FAST,
    registry=REGISTRY,
)
JOB_SECONDS: Final = Histogram(
    "farwatch_job_seconds",
    "How long attempts at jobs took",
    ("kind",),
    buckets=_SLOW,
    registry=REGISTRY,
)
