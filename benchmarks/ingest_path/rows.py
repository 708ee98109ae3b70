"""An empty hub's tables: `python -m … N` makes N agents and prints what is there."""

import sys

import msgspec

from webapp.env import default_settings_module

default_settings_module()

import django  # noqa: E402 - after the settings are named

django.setup()

from django.core.management import call_command  # noqa: E402 - after Django is set up

from benchmarks.ingest_path.traffic import DIGEST, LABELS, AgentSpec, Tables  # noqa: E402 - same
from webapp.accounts.models import Organization  # noqa: E402 - same
from webapp.common.clock import now  # noqa: E402 - same
from webapp.common.ids import uuid7  # noqa: E402 - same
from webapp.fleet.models import Agent, Bundle, Camera, Site  # noqa: E402 - same


def make_tables(n_agents: int) -> Tables:
    """Return an organization with a bundle and agents with a camera each."""
    organization = Organization.objects.create(name="Benchmark")
    bundle = Bundle.objects.create(
        organization=organization,
        digest=DIGEST.hex(),
        name="benchmark",
        version="1",
        labels=LABELS,
        first_seen_at=now(),
    )
    site = Site.objects.create(organization=organization, name="Here")
    specs = [AgentSpec(uuid7(), uuid7()) for _ in range(n_agents)]
    Agent.objects.bulk_create(
        Agent(
            id=spec.agent_id,
            organization=organization,
            site=site,
            name=f"Agent {number}",
            public_key=spec.key.public_key().public_bytes_raw(),
            enrolled_at=now(),
        )
        for number, spec in enumerate(specs)
    )
    Camera.objects.bulk_create(
        Camera(
            id=spec.camera_id,
            organization=organization,
            agent_id=spec.agent_id,
            name="Camera",
            source="usb:0",
        )
        for spec in specs
    )
    return Tables(organization.id, bundle.id, specs)


if __name__ == "__main__":
    call_command("migrate", interactive=False, verbosity=0)
    print(msgspec.json.encode(make_tables(int(sys.argv[1]))).decode())
