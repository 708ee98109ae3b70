"""PostgreSQL's part of a backup: every table by COPY, in one view of the database.

Not `pg_dump`: nothing to install beside the hub, and any server's rows load into any other's.
"""

import gzip
import re
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from psycopg import Connection, sql

from webapp.common.backup.archive import BadBackup, Partition, PartReader, Table, Tell, Writer

_FOLDER: Final = "database/"
_SUFFIX: Final = ".copy.gz"
_BOUND: Final = re.compile(r"(FOR VALUES FROM \('[^']*'\) TO \('[^']*'\)|DEFAULT)\Z")
_TABLES: Final = """
    SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    GROUP BY c.relname ORDER BY c.relname
"""
_PARTITIONS: Final = """
    SELECT c.relname, p.relname, pg_get_expr(c.relpartbound, c.oid)
    FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid JOIN pg_class p ON p.oid = i.inhparent
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relispartition AND c.relkind = 'r'
    ORDER BY c.relname
"""
_SEQUENCES: Final = """
    SELECT c.relname, a.attname, pg_get_serial_sequence(quote_ident(c.relname), a.attname)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
      AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL
"""


class Saved(NamedTuple):
    """What is in the parts."""

    tables: tuple[Table, ...]
    partitions: tuple[Partition, ...]


def save_postgres(postgres: Connection[Any], writer: Writer, tell: Tell, *, aside: Path) -> Saved:
    """Add all tables to a backup, as they are at one instant; writers go on meanwhile."""
    with postgres.transaction():
        postgres.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        postgres.execute("SET LOCAL statement_timeout = 0")
        found = postgres.execute(_TABLES).fetchall()
        partitions = tuple(Partition(*row) for row in postgres.execute(_PARTITIONS).fetchall())
        tables = tuple(
            _save_table(postgres, name, tuple(columns), writer, tell, aside)
            for name, columns in found
        )
    return Saved(tables, partitions)


def make_partitions(postgres: Connection[Any], partitions: tuple[Partition, ...]) -> None:
    """Make the pieces of tables that a backup had and this database has not."""
    for each in partitions:
        if not _BOUND.match(each.bound):
            raise BadBackup(f"the bounds of {each.name} cannot be read: {each.bound}")
        postgres.execute(
            sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF {} {}").format(
                sql.Identifier(each.name),
                sql.Identifier(each.of),
                sql.SQL(each.bound),  # matched above
            )
        )


def drop_tables(postgres: Connection[Any]) -> None:
    """Drop all that the hub has in this database."""
    with postgres.transaction():
        for name, _ in postgres.execute(_TABLES).fetchall():
            postgres.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(name)))


def empty_tables(postgres: Connection[Any], tables: tuple[Table, ...]) -> None:
    """Remove what migrations put into the tables; raise `BadBackup` for one that is not there."""
    here = {name for name, _ in postgres.execute(_TABLES).fetchall()}
    if missing := {table.name for table in tables} - here:
        raise BadBackup(f"it has a table {min(missing)}, of which this version knows nothing")
    names = sql.SQL(", ").join(sql.Identifier(table.name) for table in tables)
    postgres.execute(sql.SQL("TRUNCATE {}").format(names))


def load_table(postgres: Connection[Any], table: Table, packed: PartReader) -> None:
    """Put a table's rows back; raise `BadBackup` when it is not as many as there were."""
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, table.columns))
    )
    with postgres.cursor() as cursor:
        with gzip.GzipFile(fileobj=packed) as plain, cursor.copy(into) as copy:
            while chunk := plain.read(1024 * 1024):
                copy.write(chunk)
        if cursor.rowcount != table.n_rows:
            raise BadBackup(f"{table.name} has {cursor.rowcount} rows and not {table.n_rows}")


def advance_sequences(postgres: Connection[Any]) -> None:
    """Let every counter go on after the highest number in its column."""
    for table, column, sequence in postgres.execute(_SEQUENCES).fetchall():
        postgres.execute(
            sql.SQL("SELECT setval(%s, (SELECT coalesce(max({}), 0) + 1 FROM {}), false)").format(
                sql.Identifier(column), sql.Identifier(table)
            ),
            (sequence,),
        )


def part_of(table: Table) -> str:
    """Return the name of a table's part."""
    return f"{_FOLDER}{table.name}{_SUFFIX}"


def n_others(postgres: Connection[Any]) -> int:
    """Return how many other programs are connected to this database."""
    row = postgres.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    ).fetchone()
    return int(row[0]) if row else 0


def _save_table(
    postgres: Connection[Any],
    name: str,
    columns: tuple[str, ...],
    writer: Writer,
    tell: Tell,
    aside: Path,
) -> Table:
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    out = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(listed, sql.Identifier(name))
    with tempfile.TemporaryFile(dir=aside) as file, postgres.cursor() as cursor:
        with (
            gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as packed,
            cursor.copy(out) as copy,
        ):
            for chunk in copy:
                packed.write(chunk)
                tell(len(chunk))
        table = Table(name, cursor.rowcount, columns)
        size = file.tell()
        file.seek(0)
        writer.add(part_of(table), file, size, lambda _: None)
    return table
