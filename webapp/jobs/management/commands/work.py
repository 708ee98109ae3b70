"""`python manage.py work`: do background jobs until told to stop."""

from argparse import ArgumentParser
from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError

from webapp.common.clock import now
from webapp.common.database import has_pending_migrations
from webapp.jobs.worker import LEASE, JobWorker, stop_on_signals


class Command(BaseCommand):
    help = "Do background jobs until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--lease-s",
            type=float,
            default=LEASE.total_seconds(),
            help="after so long without a sign of life another worker takes over (%(default)s)",
        )
        parser.add_argument("--until-idle", action="store_true", help="stop when nothing waits")

    def handle(self, *_args: object, lease_s: float, until_idle: bool, **_: object) -> None:
        if has_pending_migrations():
            raise CommandError("the database is not up to date: run `manage.py migrate` first")
        worker = JobWorker(clock=now, lease=timedelta(seconds=lease_s))
        stop_on_signals(worker)
        worker.run(until_idle=until_idle)
