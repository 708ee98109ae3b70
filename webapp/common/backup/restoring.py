"""Putting a hub back from its backup: everything is checked before anything is touched."""

from pathlib import Path
from typing import Final, TextIO

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from webapp.common.backup import postgres
from webapp.common.backup.archive import BadBackup, Manifest, read_manifest, read_parts, verify
from webapp.common.backup.files import Files
from webapp.common.backup.progress import Bar
from webapp.common.backup.saving import sqlite_path
from webapp.common.backup.sqlite import PART, InUse, load_sqlite, refuse_in_use

_OF_DJANGO: Final = ("django_", "auth_permission")
"""Tables that have rows in a hub without any data."""


class HasData(Exception):
    """There is a hub with data here already."""


def checked_manifest(path: Path, *, out: TextIO) -> Manifest:
    """Read the whole backup and return its manifest; raise `BadBackup`."""
    manifest = read_manifest(path)
    bar = Bar(out, "Checking", sum(part.size for part in manifest.parts))
    verify(path, manifest, bar.tell)
    bar.finish()
    return manifest


def refuse_foreign(manifest: Manifest) -> None:
    """Raise `BadBackup` for what this version, on this database, cannot put back."""
    if manifest.engine != connection.vendor:
        raise BadBackup(f"it is of a hub on {manifest.engine}, this one is on {connection.vendor}")
    known = set(MigrationLoader(None).disk_migrations)
    if unknown := set(manifest.migrations) - known:
        raise BadBackup(
            f"Farwatch {manifest.version} made it, which is newer than this one"
            f" (migration {'.'.join(min(unknown))})"
        )


def refuse_occupied(files: Files) -> None:
    """Raise `HasData` where something would be overwritten."""
    if not files.is_empty():
        raise HasData("there are pictures or clips in the store")
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            if name.startswith(_OF_DJANGO):
                continue
            cursor.execute(f"SELECT EXISTS(SELECT 1 FROM {connection.ops.quote_name(name)})")  # noqa: S608 - a table's name
            if cursor.fetchone()[0]:
                raise HasData(f"the table {name} has rows")


def refuse_running() -> None:
    """Raise `InUse` when a hub or a worker has the database open."""
    if connection.vendor == "sqlite":
        connection.close()
        refuse_in_use(sqlite_path())
    else:
        connection.ensure_connection()
        if n_others := postgres.n_others(connection.connection):
            raise InUse(f"{n_others} other programs are connected to the database")


def restore_hub(path: Path, manifest: Manifest, *, files: Files, out: TextIO) -> None:
    """Replace what is here by the backup, then bring it up to this version.

    Raise `BadBackup` or `InUse`. People log in again: a session that was ended since must not
    come back to life.
    """
    bar = Bar(out, "Restoring", sum(part.size for part in manifest.parts))
    if connection.vendor == "sqlite":
        connection.close()
        for name, content in read_parts(path, bar.tell):
            if name == PART:
                load_sqlite(sqlite_path(), content, manifest.tables)
    else:
        _load_postgres(path, manifest, bar)
    files.clear()
    for name, content in read_parts(path, bar.tell):
        files.load(name, content)
    bar.finish()
    call_command("migrate", verbosity=0, interactive=False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_session")


def _load_postgres(path: Path, manifest: Manifest, bar: Bar) -> None:
    connection.ensure_connection()
    server = connection.connection
    postgres.drop_tables(server)
    _migrate_to(set(manifest.migrations))
    postgres.make_partitions(server, manifest.partitions)
    tables = {postgres.part_of(table): table for table in manifest.tables}
    with transaction.atomic():  # foreign keys are compared at its end
        postgres.empty_tables(server, manifest.tables)
        for name, content in read_parts(path, bar.tell):
            if (table := tables.get(name)) is not None:
                postgres.load_table(server, table, content)
        postgres.advance_sequences(server)
    server.execute("ANALYZE")


def _migrate_to(applied: set[tuple[str, str]]) -> None:
    """Make the tables as they were when these migrations were applied."""
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    newest = [
        key
        for key in applied
        if not any(
            child.key in applied and child.key[0] == key[0]
            for child in graph.node_map[key].children
        )
    ]
    executor.migrate(newest)
