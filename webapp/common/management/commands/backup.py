"""`python manage.py backup FILE`: all of this hub in one file, while it runs."""

import sqlite3
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError

from webapp.common.backup.files import Files
from webapp.common.backup.progress import size_in_words
from webapp.common.backup.saving import save_hub
from webapp.common.clock import now
from webapp.common.database import has_pending_migrations


class Command(BaseCommand):
    help = "Write the database, the files and the key of this hub into one file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="made; must not be there yet")

    def handle(self, *_args: object, file: Path, **_: object) -> None:
        if file.exists():
            raise CommandError(f"{file} is there already; it is not overwritten")
        if has_pending_migrations():
            raise CommandError("the database is not up to date: run `manage.py migrate` first")
        began = time.monotonic()
        files = Files(default_storage, settings.DATA_DIR, settings.SECRET_KEY)
        try:
            manifest = save_hub(file, files=files, at=now(), out=sys.stderr)
        except (OSError, sqlite3.Error, psycopg.Error) as error:
            raise CommandError(f"{file} could not be written: {error}") from error
        n_rows = sum(table.n_rows for table in manifest.tables)
        took_s = time.monotonic() - began
        self.stdout.write(
            f"{file}: {n_rows:,} rows of {len(manifest.tables)} tables and {len(manifest.parts)}"
            f" parts, {size_in_words(file.stat().st_size)}, in {took_s:.1f} s."
            " It holds the hub's key: keep it where only you can read it."
        )
