"""`python manage.py serve`: the hub's web server, for browsers and agents."""

from argparse import ArgumentParser

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from webapp.gateway.gateway import gateway
from webapp.gateway.server import CannotListen, HubServer

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Serves until told to stop."""

    help = "Serve pages, the API and agents."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: object, host: str, port: int, **options: object) -> None:  # noqa: ARG002 - as Django calls it
        _check_migrations()
        application = import_string(settings.ASGI_APPLICATION)
        server = HubServer(
            application, host=host, port=port, when_listening=_begin, before_stop=_end
        )
        try:
            server.serve()
        except CannotListen as error:
            raise CommandError(f"cannot listen on {host}:{port}: {error}") from error


def _check_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("the database is not up to date: run `manage.py migrate` first")
    connection.close()


def _begin(host: str, port: int) -> None:
    gateway.start()
    log.info("hub.listening", host=host, port=port)


async def _end() -> None:
    await gateway.stop()
    log.info("hub.stopped")
