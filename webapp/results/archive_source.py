"""The rows of one day on their way from the table to DuckDB: CSV, one snapshot."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import psycopg
from django.db import connection

from webapp.results.models import Result
from webapp.results.partitions import is_partitioned

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COPY: Final = (
    "COPY (SELECT id, agent_id, camera_id, bundle_id, epoch, seq,"
    " (extract(epoch FROM captured_at) * 1000000)::bigint,"
    " (extract(epoch FROM received_at) * 1000000)::bigint,"
    " latency_ms, n_detections, encode(detections, 'hex') FROM results_result"
    " WHERE organization_id = %s AND captured_at >= %s AND captured_at < %s) TO STDOUT (FORMAT csv)"
)


def microseconds(at: datetime) -> int:
    """Return an instant in microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)


def write_csv(path: Path, organization_id: UUID, begin: datetime, end: datetime) -> int:
    """Write what was captured in [begin, end), as `archive_files` reads it; return how many."""
    if is_partitioned():
        return _copy(path, organization_id, begin, end)
    rows = Result.objects.filter(
        organization=organization_id, captured_at__gte=begin, captured_at__lt=end
    )
    n_rows = 0
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        for row in rows.iterator(chunk_size=2000):
            writer.writerow(
                (
                    row.pk, row.agent_id, row.camera_id, row.bundle_id, row.epoch, row.seq,
                    microseconds(row.captured_at), microseconds(row.received_at),
                    row.latency_ms, row.n_detections, bytes(row.detections).hex(),
                )
            )  # fmt: skip
            n_rows += 1
    return n_rows


def _copy(path: Path, organization_id: UUID, begin: datetime, end: datetime) -> int:
    connection.ensure_connection()
    assert isinstance(connection.connection, psycopg.Connection)
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection) as cursor,
        path.open("wb") as file,
    ):
        with cursor.copy(_COPY, (organization_id, begin, end)) as stream:
            for chunk in stream:
                file.write(chunk)
        return cursor.rowcount
