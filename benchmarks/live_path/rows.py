"""An empty hub's tables: `python -m … KEY N` makes an agent with N cameras and who looks."""

import sys

import msgspec

from webapp.env import default_settings_module

default_settings_module()

import django  # noqa: E402 - after the settings are named

django.setup()

from django.core.management import call_command  # noqa: E402 - after Django is set up
from django.test import Client  # noqa: E402 - same

from benchmarks.live_path.spec import Tables  # noqa: E402 - same
from webapp.accounts.models import Membership, Organization, Role, User  # noqa: E402 - same
from webapp.common.clock import now  # noqa: E402 - same
from webapp.common.hub_identity import hub_id  # noqa: E402 - same
from webapp.fleet.models import Agent, Camera, Site  # noqa: E402 - same


def make_tables(public_key: bytes, n_cameras: int) -> Tables:
    """Return an organization with an agent, its cameras, and a session of an operator."""
    organization = Organization.objects.create(name="Benchmark")
    site = Site.objects.create(organization=organization, name="Here")
    agent = Agent.objects.create(
        organization=organization, site=site, name="Agent", public_key=public_key, enrolled_at=now()
    )
    cameras = [
        Camera.objects.create(
            organization=organization, agent=agent, name=f"Camera {number}", source=f"usb:{number}"
        )
        for number in range(n_cameras)
    ]
    user = User.objects.create_user(username="viewer", password=None)
    Membership.objects.create(organization=organization, user=user, role=Role.OPERATOR)
    client = Client()
    client.force_login(user)
    session_key = client.session.session_key
    assert session_key is not None
    return Tables(hub_id(), agent.pk, [camera.pk for camera in cameras], session_key)


if __name__ == "__main__":
    call_command("migrate", interactive=False, verbosity=0)
    tables = make_tables(bytes.fromhex(sys.argv[1]), int(sys.argv[2]))
    print(msgspec.json.encode(tables).decode())
