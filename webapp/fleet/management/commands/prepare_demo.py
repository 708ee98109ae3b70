"""`manage.py prepare_demo`: migrate, make the demo's rows, print what its supervisor needs."""

import json
from argparse import ArgumentParser

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from webapp.common.clock import now
from webapp.env import kept_secret
from webapp.fleet.actions.demo import prepare_camera, prepare_people
from webapp.fleet.actions.enrolment import create_join_token

USERNAME = "admin"
PASSWORD_BYTES = 9


class Command(BaseCommand):
    """Prints one line of JSON: user, password, agent_id and, for a new agent, a join token."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", required=True, help="the camera's source, as on the wire")
        parser.add_argument("--new-agent", action="store_true", help="print a join token")

    def handle(self, *_args: object, source: str, new_agent: bool, **_options: object) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        password = kept_secret(settings.DATA_DIR / "demo_password", n_bytes=PASSWORD_BYTES)
        user, site = prepare_people(username=USERNAME, password=password)
        at = now()
        try:
            agent = None if new_agent else prepare_camera(site=site, source=source, at=at)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        token = create_join_token(site, by=user, at=at) if new_agent else None
        self.stdout.write(
            json.dumps(
                {
                    "user": USERNAME,
                    "password": password,
                    "agent_id": str(agent.pk) if agent else None,
                    "token": token,
                }
            )
        )
