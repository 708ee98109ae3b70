"""Millions of raw results, by binary COPY, a UTC day after another."""

import struct
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
from django.db import connection, transaction

from benchmarks.ingest_path.traffic import Tables
from webapp.results.partitions import ensure_days

_COPY: Final = (
    b"COPY results_result (organization_id, agent_id, camera_id, bundle_id, epoch, seq,"
    b" captured_at, received_at, latency_ms, n_detections, detections)"
    b" FROM STDIN (FORMAT BINARY)"
)
_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TAIL: Final = struct.pack(">h", -1)
_DETECTIONS: Final = bytes(48)
"""Three."""
_ROW: Final = struct.Struct(">h i16s i16s i16s i16s iq iq iq iq id ih i48s")
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL counts microseconds from here."""
_DAY_US: Final = 86_400_000_000


def copy_raw(tables: Tables, days: list[datetime], *, n_raw: int) -> None:
    """Write so many rows, spread evenly over days and cameras."""
    ensure_days([day.date() for day in days], today=days[-1].date())
    for number, day in enumerate(days):
        n_rows = n_raw // len(days) + (number < n_raw % len(days))
        with transaction.atomic():
            connection.ensure_connection()
            assert isinstance(connection.connection, psycopg.Connection)
            with psycopg.Cursor(connection.connection) as cursor, cursor.copy(_COPY) as stream:
                stream.write(_rows(tables, day, n_rows=n_rows, first_seq=number * n_raw + 1))


def _rows(tables: Tables, day: datetime, *, n_rows: int, first_seq: int) -> bytes:
    begin_us = (day - _EPOCH) // timedelta(microseconds=1)
    owner, bundle = tables.organization_id.bytes, tables.bundle_id.bytes
    places = [(spec.agent_id.bytes, spec.camera_id.bytes) for spec in tables.agents]
    parts = [_HEAD]
    for number in range(n_rows):
        agent, camera = places[number % len(places)]
        at = begin_us + number * _DAY_US // n_rows
        parts.append(
            _ROW.pack(
                11, 16, owner, 16, agent, 16, camera, 16, bundle, 8, 1, 8, first_seq + number,
                8, at, 8, at + 40_000, 8, 40.0, 2, 3, len(_DETECTIONS), _DETECTIONS,
            )
        )  # fmt: skip
    return b"".join((*parts, _TAIL))
