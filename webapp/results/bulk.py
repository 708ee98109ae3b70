"""Results into their table, many at a time, inside the caller's transaction.

The ORM's `bulk_create` costs five times the CPU of what is here. Keys are hex, as SQLite keeps
them.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
from django.db import connection

from processing.wire.packed import RECORD
from webapp.common.rows import Row
from webapp.results.arrivals import Key, NewResult, NewResults
from webapp.results.copying import Copied
from webapp.results.partitions import ensure_days, is_partitioned

__all__ = ["Key", "NewResult", "NewResults", "insert_results"]

_COLUMNS: Final = (
    "organization_id, agent_id, camera_id, bundle_id, epoch, seq,"
    " captured_at, received_at, latency_ms, n_detections, detections"
)
_INSERT: Final = (
    f"INSERT INTO results_result ({_COLUMNS})"  # noqa: S608 - constants only
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_MINUTE: Final = timedelta(minutes=1)
_COPY: Final = f"COPY results_result ({_COLUMNS}) FROM STDIN (FORMAT BINARY)".encode()


def insert_results(arrivals: Iterable[NewResults]) -> None:
    """Insert results; raise `IntegrityError` when one of them is in the table already."""
    if is_partitioned():
        _copy(list(arrivals))
    else:
        _executemany(arrivals)


def _executemany(arrivals: Iterable[NewResults]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, [row for arrived in arrivals for row in _rows(arrived)])


def _rows(arrived: NewResults) -> Iterator[Row]:
    size, (received_at,) = RECORD.size, _sqlite_instants([arrived.received_at])
    organization, agent, epoch = arrived.organization, arrived.agent, arrived.epoch
    instants = _sqlite_instants(new.captured_at for new in arrived.results)
    for new, captured_at in zip(arrived.results, instants, strict=True):
        yield (
            organization, agent, new.camera, new.bundle, epoch, new.seq,
            captured_at, received_at, new.latency_ms,
            len(new.detections) // size, new.detections,
        )  # fmt: skip


def _copy(arrivals: list[NewResults]) -> None:
    copied = Copied(arrivals)
    if copied.is_empty:
        return
    received_at = max(arrived.received_at for arrived in arrivals)
    ensure_days(copied.days, today=received_at.astimezone(UTC).date())
    connection.ensure_connection()
    assert isinstance(connection.connection, psycopg.Connection)
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection) as cursor,
        cursor.copy(_COPY) as stream,
    ):
        stream.write(copied.content)


def _sqlite_instants(instants: Iterable[datetime]) -> Iterator[str]:
    """Yield instants in UTC as Django keeps them in SQLite.

    Most are of the minute of the one before, whose text is made once: that takes half the
    time of `isoformat` for each.
    """
    text = ""
    begin = end = datetime.min.replace(tzinfo=UTC)
    for at in instants:
        if not begin <= at < end:
            begin = at.replace(second=0, microsecond=0)
            end = begin + _MINUTE
            text = begin.isoformat(" ", "minutes")[: -len("+00:00")]
        second, microsecond = at.second, at.microsecond
        if microsecond:
            yield "%s:%02d.%06d" % (text, second, microsecond)  # noqa: UP031 - the quickest
        else:
            yield "%s:%02d" % (text, second)  # noqa: UP031 - same
