"""The days of the results table on PostgreSQL: made ahead, made on demand, dropped whole.

A partition holds the results captured on one UTC day. There is none for "all else": a day that
nobody foresaw is made when its first result comes, so nothing is refused for want of it. SQLite
has one table, and every function here does nothing there.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

TABLE: Final = "results_result"
AHEAD: Final = timedelta(days=7)
_ONE_DAY: Final = timedelta(days=1)
_LOCK: Final = 0x0FA7DA75
"""Of PostgreSQL's advisory locks: who makes days."""
_WAIT: Final = "2s"
"""So long a drop waits for queries on the table; everybody else waits behind it."""

_known: WeakKeyDictionary[object, set[date]] = WeakKeyDictionary()
"""Days that a database connection has seen committed."""


def is_partitioned() -> bool:
    """Return whether this database keeps results by day."""
    return connection.vendor == "postgresql"


def make_ahead(at: datetime) -> None:
    """Have partitions for yesterday, today and the week to come."""
    today = at.astimezone(UTC).date()
    ensure_days([today + n * _ONE_DAY for n in range(-1, AHEAD.days + 1)], today=today)


def ensure_days(days: Collection[date], *, today: date) -> None:
    """Have partitions for these days, and keep them until the caller's transaction ends.

    Days from yesterday on are never dropped, so one that was seen once is there.
    """
    if not is_partitioned():
        return
    connection.ensure_connection()
    known = _known.setdefault(connection.connection, set())
    yesterday = today - _ONE_DAY
    unknown = sorted(day for day in days if day < yesterday or day not in known)
    if not unknown:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        if unknown[0] < yesterday:
            cursor.execute(f"LOCK TABLE {TABLE} IN ROW EXCLUSIVE MODE")  # against a drop
        for day in unknown:
            if not _exists(cursor, day):
                _make(cursor, day)
        transaction.on_commit(lambda: known.update(unknown))


def days_before(day: date) -> list[date]:
    """Return the days before `day` that have a partition, oldest first."""
    return [each for each in _days() if each < day]


def drop_day(day: date, *, may_go: Callable[[], bool] = lambda: True) -> bool:
    """Drop the results of one day, if they still may go once nobody can add to them.

    Raise `OperationalError` when the table is busy for too long.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_WAIT}'")
        if _exists(cursor, day):
            cursor.execute(f"LOCK TABLE {_name(day)} IN SHARE MODE")
            if not may_go():
                return False
            cursor.execute(f"DROP TABLE {_name(day)}")
    for known in _known.values():
        known.discard(day)
    return True


def rows_of(day: date) -> int:
    """Return how many results a day has."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {_name(day)}")  # noqa: S608 - a date
        return int(cursor.fetchone()[0])


def _days() -> Iterator[date]:
    if not is_partitioned():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
            " WHERE inhparent = to_regclass(%s) ORDER BY relname",
            [TABLE],
        )
        names = [str(row[0]) for row in cursor.fetchall()]
    for name in names:
        yield date.fromisoformat(name.removeprefix(f"{TABLE}_"))


def _name(day: date) -> str:
    return f"{TABLE}_{day:%Y%m%d}"


def _exists(cursor: CursorWrapper, day: date) -> bool:
    cursor.execute("SELECT to_regclass(%s)", [_name(day)])
    return cursor.fetchone()[0] is not None


def _make(cursor: CursorWrapper, day: date) -> None:
    """Make a table and attach it: `CREATE .. PARTITION OF` would stop whoever reads or writes."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    if _exists(cursor, day):  # another process made it meanwhile
        return
    cursor.execute(f"CREATE TABLE {_name(day)} (LIKE {TABLE} INCLUDING ALL)")
    cursor.execute(
        f"ALTER TABLE {TABLE} ATTACH PARTITION {_name(day)}"
        f" FOR VALUES FROM ('{day} 00:00:00+00') TO ('{day + _ONE_DAY} 00:00:00+00')"
    )
