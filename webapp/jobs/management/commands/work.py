"""`python manage.py work`: do background jobs until told to stop."""

from argparse import ArgumentParser
from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError
from prometheus_client import start_http_server

from webapp.common.clock import now
from webapp.common.database import has_pending_migrations
from webapp.common.metrics import REGISTRY
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
        parser.add_argument(
            "--metrics-port",
            type=int,
            default=0,
            help="serve /metrics for Prometheus at this port, to this machine only (0: not at all)",
        )
        parser.add_argument("--until-idle", action="store_true", help="stop when nothing waits")

    def handle(
        self, *_args: object, lease_s: float, until_idle: bool, metrics_port: int, **_: object
    ) -> None:
        if has_pending_migrations():
            raise CommandError("the database is not up to date: run `manage.py migrate` first")
        worker = JobWorker(clock=now, lease=timedelta(seconds=lease_s))
        stop_on_signals(worker)
        if metrics_port:
            try:
                start_http_server(metrics_port, addr="127.0.0.1", registry=REGISTRY)
            except OSError as error:
                raise CommandError(f"cannot listen on port {metrics_port}: {error}") from error
        worker.run(until_idle=until_idle)
