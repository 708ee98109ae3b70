"""Places with cameras: added and named by admins."""

from datetime import datetime

from django.db import transaction

from webapp.accounts.models import Organization
from webapp.common.changes import record_change
from webapp.fleet.models import Site


@transaction.atomic
def add_site(organization: Organization, *, name: str, at: datetime) -> Site:
    """Add a site; raise `ValidationError` when the name is taken."""
    site = Site(organization=organization, name=name)
    site.full_clean()
    site.save(force_insert=True)
    record_change(organization.id, "agents", at=at)
    return site


@transaction.atomic
def rename_site(site: Site, *, name: str, at: datetime) -> Site:
    """Give a site another name; raise `ValidationError` when it is taken."""
    site.name = name
    site.full_clean()
    site.save(update_fields=["name"])
    record_change(site.organization_id, "agents", at=at)
    return site
