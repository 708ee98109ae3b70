"""Millions of raw results, as the hub writes them, a UTC day after another."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from benchmarks.ingest_path.traffic import Tables
from webapp.results.arrivals import NewResult, NewResults
from webapp.results.bulk import insert_results
from webapp.results.days import ONE_DAY

_DETECTIONS: Final = bytes(48)
"""Three."""
_ON_ITS_WAY: Final = timedelta(milliseconds=40)


def copy_raw(tables: Tables, days: list[datetime], *, n_raw: int) -> None:
    """Write so many rows, spread evenly over days and cameras."""
    for number, day in enumerate(days):
        n_rows = n_raw // len(days) + (number < n_raw % len(days))
        with transaction.atomic():
            insert_results(_rows(tables, day, n_rows=n_rows, first_seq=number * n_raw + 1))


def _rows(tables: Tables, day: datetime, *, n_rows: int, first_seq: int) -> Iterator[NewResults]:
    owner, bundle = tables.organization_id.hex, tables.bundle_id.hex
    places = [(spec.agent_id.hex, spec.camera_id.hex) for spec in tables.agents]
    for number in range(n_rows):
        agent, camera = places[number % len(places)]
        at = day + number * ONE_DAY / n_rows
        result = NewResult(first_seq + number, camera, bundle, at, 40.0, _DETECTIONS, ())
        yield NewResults(owner, agent, 1, at + _ON_ITS_WAY, [result])
