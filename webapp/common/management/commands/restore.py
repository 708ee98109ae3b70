"""`python manage.py restore FILE`: a hub as it was when it was backed up."""

import sqlite3
import sys
from argparse import ArgumentParser
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError

from webapp.common.backup.archive import BadBackup
from webapp.common.backup.files import Files
from webapp.common.backup.restoring import (
    HasData,
    checked_manifest,
    refuse_foreign,
    refuse_occupied,
    refuse_running,
    restore_hub,
)
from webapp.common.backup.sqlite import InUse
from webapp.env import env


class Command(BaseCommand):
    help = "Put a hub back from its backup. Stop the hub and its workers first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--check", action="store_true", help="only check the file, all of it")
        parser.add_argument(
            "--force", action="store_true", help="overwrite the hub that is here, with all its data"
        )

    def handle(self, *_args: object, file: Path, check: bool, force: bool, **_: object) -> None:
        files = Files(default_storage, settings.DATA_DIR, settings.SECRET_KEY)
        try:
            manifest = checked_manifest(file, out=sys.stderr)
            if check:
                self.stdout.write(f"{file} is whole: {manifest.made_at:%Y-%m-%d %H:%M} UTC.")
                return
            refuse_foreign(manifest)
            refuse_running()
            if not force:
                refuse_occupied(files)
            restore_hub(file, manifest, files=files, out=sys.stderr)
        except BadBackup as error:
            raise CommandError(f"{file} cannot be restored: {error}.") from error
        except InUse as error:
            raise CommandError(f"Stop the hub and its workers first: {error}.") from error
        except HasData as error:
            raise CommandError(
                f"This hub is not empty: {error}. With --force it is overwritten for good."
            ) from error
        except (OSError, sqlite3.Error, psycopg.Error) as error:
            raise CommandError(f"{file} could not be restored: {error}") from error
        self.stdout.write(
            f"This hub is as it was at {manifest.made_at:%Y-%m-%d %H:%M} UTC."
            " Everybody logs in anew; agents send what came later by themselves."
        )
        chosen = env().secret_key
        if chosen and (settings.DATA_DIR / "secret_key").read_text() != chosen:
            self.stdout.write(
                "FARWATCH_SECRET_KEY is not the key of the backup: join tokens made with that one"
                " no longer work."
            )
