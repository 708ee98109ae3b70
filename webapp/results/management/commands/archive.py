"""`manage.py archive`: results of old days into Parquet files."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date

from django.core.management.base import BaseCommand

from webapp.common.clock import now
from webapp.results.archive import archive_due, due_parts, sweep


class Command(BaseCommand):
    """The worker does the same every hour."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--day", type=_day, help="this UTC day alone, as 2026-11-22, with its late results"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be written, and write nothing"
        )

    def handle(self, *_args: object, day: date | None, dry_run: bool, **_options: object) -> None:
        at = now()
        parts = due_parts(at, day=day) if dry_run else archive_due(at, day=day)
        n_parts = 0
        for part in parts:
            n_parts += 1
            self.stdout.write(f"{part.day}  {part.organization_id}")
        if not dry_run:
            sweep(at)
        self.stdout.write(f"{n_parts} to write" if dry_run else f"{n_parts} written")


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day such as 2026-11-22") from error
    if day >= now().date():
        raise ArgumentTypeError(f"{day} is not over")
    return day
