"""Many rows, by one statement: the same SQL on PostgreSQL and on SQLite."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Final, Literal, TypeAlias
from uuid import UUID

import msgspec
import psycopg
from django.db import connection
from django.db.models.expressions import RawSQL

Kind: TypeAlias = Literal["uuid", "timestamptz", "int8", "float8", "text", "bytea", "jsonb"]
"""What PostgreSQL calls a column of the rows; a UUID is given as hex, JSON as text."""
Value: TypeAlias = str | int | float | bytes | datetime | None
Row: TypeAlias = tuple[Value, ...]

_GIVEN_AS: Final = {"uuid": "text", "jsonb": "text"}


def any_of(ids: Iterable[UUID]) -> RawSQL:
    """Return what an `__in` takes for ids: one value of the query, where a list makes one of each.

    With a thousand ids Django spends ten times as long on the latter as the database does.
    """
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::uuid[])", ([str(each) for each in ids],))
    return RawSQL("SELECT value FROM json_each(%s)", (_json(each.hex for each in ids),))


def hold_rows(table: str, columns: Iterable[str], ids: Iterable[UUID]) -> dict[UUID, Row]:
    """Lock rows, in the order of their ids, but let others point at them; return these columns.

    What the ORM would ask, without its making up the question each time, which takes it longer
    than the database has with the answer.
    """
    wanted = {each.hex: each for each in ids}
    question = f"SELECT id, {', '.join(columns)} FROM {table} WHERE id {{}} ORDER BY id"  # noqa: S608 - constants only
    if connection.vendor == "postgresql":
        statement = question.format("= ANY(%b::uuid[])") + " FOR NO KEY UPDATE"
        with _postgres_cursor() as cursor:
            rows = cursor.execute(statement.encode(), [list(wanted)], prepare=True).fetchall()
            return {key: tuple(rest) for key, *rest in rows}
    with connection.cursor() as cursor:
        cursor.execute(question.format("IN (SELECT value FROM json_each(%s))"), [_json(wanted)])
        return {wanted[key]: tuple(rest) for key, *rest in cursor.fetchall()}


def update_by_id(table: str, columns: Iterable[str], also: str = "") -> str:
    """Return a statement for rows of an id and what these columns are to be."""
    names = tuple(columns)
    changes = ", ".join(f"{name} = said.{name}" for name in names)
    said = f"WITH said (id, {', '.join(names)}) AS ({{rows}}) SELECT * FROM said"  # noqa: S608 - constants only
    return f"UPDATE {table} SET {changes}{also} FROM ({said}) AS said WHERE {table}.id = said.id"  # noqa: S608 - same


def write_rows(statement: str, kinds: Sequence[Kind], rows: Iterable[Row]) -> None:
    """Execute a statement that has the rows in place of its `{rows}`; nothing without rows.

    The statement is a constant of the caller: `INSERT INTO .. {rows} ON CONFLICT ..`, or what
    `update_by_id` returns. Instants are in UTC.
    Give the rows in the order of their keys, so that two writers never wait for each other in a
    ring.
    """
    values = list(rows)
    if not values:
        return
    if connection.vendor == "postgresql":
        _write_postgres(statement.format(rows=_unnested(tuple(kinds))), values)
        return
    marks = ", ".join("%s" for _ in kinds)
    plain = [tuple(map(_as_sqlite, row)) for row in values]
    with connection.cursor() as cursor:
        cursor.executemany(statement.format(rows=f"VALUES ({marks})"), plain)


def _write_postgres(statement: str, rows: Sequence[Row]) -> None:
    """Execute by psycopg's own cursor: planned once a connection, values bound by the server."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    with _postgres_cursor() as cursor:
        cursor.execute(statement.encode(), columns, prepare=True)


@contextmanager
def _postgres_cursor() -> Iterator[psycopg.Cursor]:
    connection.ensure_connection()
    assert isinstance(connection.connection, psycopg.Connection)
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor


def _json(hexes: Iterable[str]) -> str:
    return msgspec.json.encode(list(hexes)).decode()


@cache
def _unnested(kinds: tuple[Kind, ...]) -> str:
    names = [f"c{index}" for index in range(len(kinds))]
    picked = ", ".join(f"{name}::{kind}" for name, kind in zip(names, kinds, strict=True))
    arrays = ", ".join(f"%b::{_GIVEN_AS.get(kind, kind)}[]" for kind in kinds)
    return f"SELECT {picked} FROM unnest({arrays}) AS rows ({', '.join(names)})"  # noqa: S608 - constants only


def _as_sqlite(value: Value) -> Value:
    """Return an instant in UTC as Django keeps it in SQLite; all else as it is."""
    return value.isoformat(" ")[: -len("+00:00")] if isinstance(value, datetime) else value
