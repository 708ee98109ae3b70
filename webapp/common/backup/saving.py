"""Writing all of a hub into one file, while the hub runs."""

import tempfile
from datetime import datetime
from pathlib import Path
from typing import TextIO

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from processing.wire.version import VERSION
from webapp.common.backup.archive import Manifest, Writer, whole_file
from webapp.common.backup.files import Files
from webapp.common.backup.postgres import Saved, save_postgres
from webapp.common.backup.progress import Bar
from webapp.common.backup.sqlite import save_sqlite


def save_hub(path: Path, *, files: Files, at: datetime, out: TextIO) -> Manifest:
    """Write the backup to `path`, which is there only when it is whole; return what it holds.

    First the database, then the files: each picture that the database speaks of was there before.
    """
    with (
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".farwatch-backup-") as aside,
        whole_file(path) as file,
    ):
        writer = Writer(file, made_at=at)
        bar = Bar(out, "Database", database_size())
        saved = _save_database(writer, bar, aside=Path(aside))
        migrations = tuple(sorted(MigrationRecorder(connection).applied_migrations()))
        bar.finish()
        bar = Bar(out, "Files", files.n_bytes())
        files.save(writer, bar.tell)
        bar.finish()
        manifest = Manifest(
            made_at=at,
            version=VERSION,
            engine=connection.vendor,
            engine_version=".".join(map(str, connection.get_database_version())),
            migrations=migrations,
            tables=saved.tables,
            partitions=saved.partitions,
            parts=tuple(writer.parts),
        )
        writer.finish(manifest)
    return manifest


def database_size() -> int:
    """Return about how many bytes the database has."""
    if connection.vendor == "sqlite":
        return sqlite_path().stat().st_size
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def sqlite_path() -> Path:
    """Return where SQLite's file is."""
    return Path(str(connection.settings_dict["NAME"]))


def _save_database(writer: Writer, bar: Bar, *, aside: Path) -> Saved:
    if connection.vendor == "sqlite":
        return Saved(save_sqlite(sqlite_path(), writer, bar.tell, aside=aside), ())
    connection.ensure_connection()
    return save_postgres(connection.connection, writer, bar.tell, aside=aside)
