"""What `make demo` needs in the tables: an organization, an admin, a site, an agent's camera."""

from datetime import datetime
from typing import Final

from django.db import transaction

from webapp.accounts.models import Membership, Organization, Role, User
from webapp.common.ids import uuid7
from webapp.fleet.actions.cameras import add_camera, update_camera
from webapp.fleet.models import Agent, Site

ORGANIZATION: Final = "Demo"
CAMERA: Final = "Street"
_POLICIES: Final = {"clips": {"is_on": True, "before_s": 3.0, "after_s": 3.0, "longest_s": 20.0}}


@transaction.atomic
def prepare_people(*, username: str, password: str) -> tuple[User, Site]:
    """Make the organization, its admin and its site; what is there already stays."""
    organization, _ = Organization.objects.get_or_create(name=ORGANIZATION)
    user = User.objects.filter(username=username).first()
    if user is None:
        user = User.objects.create_superuser(username, password=password)
    Membership.objects.get_or_create(
        user=user, organization=organization, defaults={"role": Role.ADMIN}
    )
    site, _ = Site.objects.get_or_create(organization=organization, name="Demo site")
    return user, site


@transaction.atomic
def prepare_camera(*, site: Site, source: str, at: datetime) -> Agent | None:
    """Point the newest agent's camera at `source`; return the agent, None if none is enrolled."""
    agent = Agent.objects.filter(site=site, is_revoked=False).order_by("-enrolled_at").first()
    if agent is None:
        return None
    camera = agent.cameras.filter(name=CAMERA).first()
    if camera is None:
        add_camera(agent, at=at, name=CAMERA, source=source, scene=_scene(), policies=_POLICIES)
    elif camera.source != source:
        update_camera(camera, at=at, source=source)
    return agent


def _scene() -> dict[str, object]:
    """Return a zone in the middle of the picture and a rule for it: the demo has events to show."""
    zone_id = str(uuid7())
    return {
        "zones": [
            {
                "zone_id": zone_id,
                "name": "Pavement",
                "polygon": [[0.25, 0.35], [0.98, 0.35], [0.98, 1.0], [0.25, 1.0]],
            }
        ],
        "rules": [
            {
                "rule_id": str(uuid7()),
                "name": "Somebody on the pavement",
                "condition": {"when": "in_zone", "zone_id": zone_id, "after_s": 1.0},
                "labels": ["person"],
                "severity": "info",
                "quiet_s": 30.0,
            }
        ],
    }
