"""Reads about who is what."""

from webapp.accounts.models import Organization, Role, User
from webapp.accounts.tenancy import Actor


def roles_of(user: User) -> set[Role]:
    """Return the user's roles over all organizations; a superuser is an admin everywhere."""
    if user.is_superuser:
        return {Role.ADMIN}
    return {Role(role) for role in user.memberships.values_list("role", flat=True)}


def organizations_of(actor: Actor) -> list[Organization]:
    """Return the organizations that `actor` may know of, by name."""
    if not isinstance(actor, User) or not actor.is_active:
        return []
    if actor.is_superuser:
        return list(Organization.objects.all())
    return list(Organization.objects.filter(memberships__user=actor))
