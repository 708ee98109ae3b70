"""`manage.py keep`: what each class of data uses and how long it stays; forgets what is too old."""

from argparse import ArgumentParser
from collections import Counter

from django.core.management.base import BaseCommand

from webapp.common.clock import now
from webapp.common.keeping import Kept, all_kept, count_old, forget_old, n_table_bytes

_MB = 1e6


class Command(BaseCommand):
    """The worker does the same every hour."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would go, and leave it"
        )

    def handle(self, *_args: object, dry_run: bool, **_options: object) -> None:
        at = now()
        if dry_run:
            gone = Counter({kept.name: count_old(kept, at) for kept in all_kept()})
        else:
            gone = Counter[str]()
            for name, n_rows in forget_old(at):
                gone[name] += n_rows
        self._write(("class", "kept", "rows to go" if dry_run else "rows gone", "disk"))
        for kept in all_kept():
            self._write((kept.name, _days(kept), f"{gone[kept.name]:,}", _disk(kept), kept.words))

    def _write(self, columns: tuple[str, ...]) -> None:
        name, days, n_rows, disk, *words = columns
        self.stdout.write(f"{name:14}{days:>10}{n_rows:>14}{disk:>14}  {''.join(words)}".rstrip())


def _days(kept: Kept) -> str:
    return f"{kept.days} days" if kept.days else "for ever"


def _disk(kept: Kept) -> str:
    n_bytes = n_table_bytes(kept) + kept.n_file_bytes()
    return f"{n_bytes / _MB:,.1f} MB"
