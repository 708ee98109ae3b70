"""Results into their table and into the minutes, many at a time, inside the caller's transaction.

The ORM's `bulk_create` costs five times the CPU of what is here. Keys are hex, as SQLite keeps
them and PostgreSQL reads them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeAlias

import psycopg
from django.db import connection

from processing.wire.packed import RECORD, count_labels

Key: TypeAlias = str
"""A UUID, hex without dashes."""


class NewResult(NamedTuple):
    """One checked result that is not in the table yet."""

    seq: int
    camera: Key
    bundle: Key
    captured_at: datetime
    latency_ms: float
    detections: bytes
    n_started: tuple[tuple[int, int], ...]


Row: TypeAlias = tuple[
    Key, Key, Key, Key, int, int, datetime | str, datetime | str, float, int, bytes
]
"""In the order of the columns."""


@dataclass(frozen=True, slots=True)
class NewResults:
    """Results of one agent that arrived together."""

    organization: Key
    agent: Key
    epoch: int
    received_at: datetime
    results: list[NewResult]


_COLUMNS: Final = (
    "organization_id, agent_id, camera_id, bundle_id, epoch, seq,"
    " captured_at, received_at, latency_ms, n_detections, detections"
)
_INSERT_SQLITE: Final = (
    f"INSERT INTO results_result ({_COLUMNS})"  # noqa: S608 - constants only
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
)
_INSERT_POSTGRES: Final = (
    f"INSERT INTO results_result ({_COLUMNS})"  # noqa: S608 - constants only
    " SELECT o::uuid, a::uuid, c::uuid, b::uuid, e, s, t, r, l, n, d FROM unnest(%b::text[],"
    " %b::text[], %b::text[], %b::text[], %b::int8[], %b::int8[], %b::timestamptz[],"
    " %b::timestamptz[], %b::float8[], %b::int2[], %b::bytea[])"
    " AS rows (o, a, c, b, e, s, t, r, l, n, d) ON CONFLICT DO NOTHING"
)


def insert_results(arrivals: Iterable[NewResults]) -> int:
    """Insert what is not there yet; return how many rows are new."""
    is_postgres = connection.vendor == "postgresql"
    instant = _as_is if is_postgres else _sqlite_instant
    rows: list[Row] = []
    for arrived in arrivals:
        organization, agent, epoch = arrived.organization, arrived.agent, arrived.epoch
        received_at = instant(arrived.received_at)
        rows.extend(
            (
                organization, agent, new.camera, new.bundle, epoch, new.seq,
                instant(new.captured_at), received_at, new.latency_ms,
                len(new.detections) // RECORD.size, new.detections,
            )
            for new in arrived.results
        )  # fmt: skip
    if not rows:
        return 0
    return _insert_postgres(rows) if is_postgres else _insert_sqlite(rows)


def _insert_sqlite(rows: Sequence[Row]) -> int:
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT_SQLITE, rows)
        return int(cursor.rowcount)


def _insert_postgres(rows: Sequence[Row]) -> int:
    connection.ensure_connection()
    assert isinstance(connection.connection, psycopg.Connection)
    # psycopg's own cursor binds on the server, in binary; Django's would write it all out as text.
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_INSERT_POSTGRES, [list(column) for column in zip(*rows, strict=True)])
        return cursor.rowcount


_FOLD_CAMERAS: Final = (
    "INSERT INTO results_cameraminute AS kept (camera_id, minute_at, organization_id, n_results)"
    " VALUES (%s, %s, %s, %s) ON CONFLICT (camera_id, minute_at) DO UPDATE"
    " SET n_results = kept.n_results + excluded.n_results"
)
_FOLD_LABELS: Final = (
    "INSERT INTO results_labelminute AS kept"
    " (camera_id, bundle_id, minute_at, label, organization_id, n_detections, n_tracks, peak)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
    " ON CONFLICT (camera_id, bundle_id, minute_at, label) DO UPDATE SET"
    " n_detections = kept.n_detections + excluded.n_detections,"
    " n_tracks = kept.n_tracks + excluded.n_tracks,"
    " peak = CASE WHEN excluded.peak > kept.peak THEN excluded.peak ELSE kept.peak END"
)


class Seen:
    """How often a class was seen in a minute."""

    __slots__ = ("n_detections", "n_tracks", "peak")

    def __init__(self) -> None:
        self.n_detections = self.n_tracks = self.peak = 0

    def add(self, n_detections: int) -> None:
        self.n_detections += n_detections
        self.peak = max(self.peak, n_detections)


def fold_into_minutes(arrivals: Iterable[NewResults]) -> None:
    """Add results that are new to the table to the minutes that charts read."""
    cameras: dict[tuple[Key, datetime, Key], int] = {}
    labels: dict[tuple[Key, Key, datetime, int, Key], Seen] = {}
    for arrived in arrivals:
        organization = arrived.organization
        for new in arrived.results:
            minute = new.captured_at.replace(second=0, microsecond=0)
            key = (new.camera, minute, organization)
            cameras[key] = cameras.get(key, 0) + 1
            for label, n_detections in count_labels(new.detections).items():
                seen = labels.setdefault(
                    (new.camera, new.bundle, minute, label, organization), Seen()
                )
                seen.add(n_detections)
            for label, n_tracks in new.n_started:
                seen = labels.setdefault(
                    (new.camera, new.bundle, minute, label, organization), Seen()
                )
                seen.n_tracks += n_tracks
    if cameras:
        _write_minutes(cameras, labels)


def _write_minutes(
    cameras: dict[tuple[Key, datetime, Key], int],
    labels: dict[tuple[Key, Key, datetime, int, Key], Seen],
) -> None:
    """Write in the order of the keys, so that two writers never wait for each other in a ring."""
    instant = _as_is if connection.vendor == "postgresql" else _sqlite_instant
    with connection.cursor() as cursor:
        cursor.executemany(
            _FOLD_CAMERAS,
            [
                (camera, instant(minute), organization, n_results)
                for (camera, minute, organization), n_results in sorted(cameras.items())
            ],
        )
        cursor.executemany(
            _FOLD_LABELS,
            [
                (
                    camera, bundle, instant(minute), label, organization,
                    seen.n_detections, seen.n_tracks, seen.peak,
                )
                for (camera, bundle, minute, label, organization), seen in sorted(
                    labels.items(), key=lambda item: item[0]
                )
            ],
        )  # fmt: skip


def _as_is(at: datetime) -> datetime:
    return at


def _sqlite_instant(at: datetime) -> str:
    """Return an instant as Django keeps it in SQLite."""
    return str(at.astimezone(UTC).replace(tzinfo=None))
