"""`python manage.py serve`: the hub's web server, for browsers and agents."""

import gc
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from webapp.common.broadcast import broadcast
from webapp.common.relay import Relay
from webapp.gateway.addresses import Address, CannotListen
from webapp.gateway.gateway import gateway
from webapp.gateway.server import HubServer
from webapp.gateway.uvicorn_server import UvicornServer

log = structlog.get_logger(__name__)

SWITCH_S: Final = 0.001
"""The event loop holds Python's lock no longer while a page or a commit waits for it: each goes
without it at every query, and at Python's own 5 ms a page of 20 queries would take that often."""

_relay = (
    Relay(settings.REDIS_URL, secret=settings.SECRET_KEY, broadcast=broadcast)
    if settings.REDIS_URL
    else None
)


class Command(BaseCommand):
    """Serves until told to stop."""

    help = "Serve pages, the API and agents."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

        parser.add_argument("--uds", type=Path, help="listen at this path instead of a port")
        parser.add_argument("--fd", type=int, help="listen on this open TCP socket, as systemd's 3")
        parser.add_argument(
            "--server",
            choices=("daphne", "uvicorn"),
            default="daphne",
            help="uvicorn: half the CPU a message, for many agents",
        )

    def handle(self, *args: object, server: str, **options: Any) -> None:  # noqa: ARG002 - as Django calls it
        _check_migrations()
        sys.setswitchinterval(SWITCH_S)
        application = import_string(settings.ASGI_APPLICATION)
        chosen = {name: options[name] for name in ("host", "port", "uds", "fd")}
        address = Address(**chosen)
        make = UvicornServer if server == "uvicorn" else HubServer
        hub = make(
            application,
            address=address,
            when_listening=_begin,
            when_told_to_stop=gateway.keep_sessions,
            before_stop=_end,
        )
        # What is loaded stays: looking through it for garbage again and again took Python a fifth
        # of the time that it had for what agents send.
        gc.collect()
        gc.freeze()
        try:
            hub.listen_and_serve()
        except CannotListen as error:
            raise CommandError(f"cannot listen on {address}: {error}") from error
        finally:
            gc.unfreeze()


def _check_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("the database is not up to date: run `manage.py migrate` first")
    connection.close()


def _begin(listening_at: str) -> None:
    if _relay is not None:
        _relay.start()
    gateway.start()
    log.info("hub.listening", address=listening_at)


async def _end() -> None:
    await gateway.stop()
    if _relay is not None:
        await _relay.stop()
    log.info("hub.stopped")
