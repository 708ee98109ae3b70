"""Results into their table and into the minutes, many at a time, inside the caller's transaction.

The ORM's `bulk_create` costs five times the CPU of what is here. Keys are hex, as SQLite keeps
them and PostgreSQL reads them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Final, TypeAlias

import msgspec
import psycopg
from django.db import connection

from processing.wire.packed import RECORD, count_labels

Key: TypeAlias = str
"""A UUID, hex without dashes."""


class NewResult(msgspec.Struct, frozen=True, gc=False):
    """One checked result that is not in the table yet; a struct because there are so many."""

    seq: int
    camera: Key
    bundle: Key
    captured_at: datetime
    """In UTC."""
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


_MINUTE: Final = timedelta(minutes=1)
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


class Minute:
    """What one bundle saw through one camera in a minute."""

    __slots__ = ("labels", "n_results", "organization")

    def __init__(self, organization: Key) -> None:
        self.organization = organization
        self.n_results = 0
        self.labels: dict[int, list[int]] = {}
        """For each class: detections, tracks that began, the most at once."""

    def add(self, new: NewResult) -> None:
        self.n_results += 1
        for label, n_detections in count_labels(new.detections).items():
            seen = self.labels.get(label)
            if seen is None:
                self.labels[label] = [n_detections, 0, n_detections]
            else:
                seen[0] += n_detections
                seen[2] = max(seen[2], n_detections)
        for label, n_tracks in new.n_started:
            self.labels.setdefault(label, [0, 0, 0])[1] += n_tracks


MinuteKey: TypeAlias = tuple[Key, Key, datetime]
"""Camera, bundle, begin."""


def fold_into_minutes(arrivals: Iterable[NewResults]) -> None:
    """Add results that are new to the table to the minutes that charts read."""
    minutes: dict[MinuteKey, Minute] = {}
    for arrived in arrivals:
        camera = bundle = ""
        begin = end = arrived.received_at
        minute = Minute(arrived.organization)
        for new in arrived.results:
            # Most belong where the one before belongs.
            is_same = new.camera == camera and new.bundle == bundle
            if not is_same or not begin <= new.captured_at < end:
                camera, bundle = new.camera, new.bundle
                begin = new.captured_at.replace(second=0, microsecond=0)
                end = begin + _MINUTE
                minute = minutes.setdefault((camera, bundle, begin), Minute(arrived.organization))
            minute.add(new)
    if minutes:
        _write_minutes(minutes)


def _write_minutes(minutes: dict[MinuteKey, Minute]) -> None:
    """Write in the order of the keys, so that two writers never wait for each other in a ring."""
    instant = _as_is if connection.vendor == "postgresql" else _sqlite_instant
    in_order = sorted(minutes.items(), key=itemgetter(0))
    with connection.cursor() as cursor:
        cursor.executemany(
            _FOLD_CAMERAS,
            [
                (camera, instant(begin), minute.organization, minute.n_results)
                for (camera, _, begin), minute in in_order
            ],
        )
        cursor.executemany(
            _FOLD_LABELS,
            [
                (camera, bundle, instant(begin), label, minute.organization, *seen)
                for (camera, bundle, begin), minute in in_order
                for label, seen in sorted(minute.labels.items())
            ],
        )


def _as_is(at: datetime) -> datetime:
    return at


def _sqlite_instant(at: datetime) -> str:
    """Return an instant in UTC as Django keeps it in SQLite."""
    return at.isoformat(" ")[: -len("+00:00")]
