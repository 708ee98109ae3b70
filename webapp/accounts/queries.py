"""Reads about who is what."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from webapp.accounts.models import Membership, Organization, Role, User
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


def chosen_organization(user: User, needed: Role, *, organization_id: UUID | None) -> Organization:
    """Return the organization that a user means, one where their role covers `needed`.

    It need not be named by who has only one. Raise `ValidationError` naming `organization`.
    """
    mine = organizations_where(user, needed)
    if organization_id is not None:
        mine = mine.filter(pk=organization_id)
    found = list(mine[:2])
    if not found:
        raise ValidationError({"organization": "There is no such organization, or not for you."})
    if len(found) > 1:
        raise ValidationError({"organization": "You are in several: say which one you mean."})
    return found[0]


def organizations_where(actor: Actor, needed: Role) -> QuerySet[Organization]:
    """Return the organizations in which the actor's role covers `needed`."""
    if not isinstance(actor, User) or not actor.is_active:
        return Organization.objects.none()
    if actor.is_superuser:
        return Organization.objects.all()
    roles = [role for role in Role if role.allows(needed)]
    memberships = Membership.objects.filter(user=actor, role__in=roles)
    return Organization.objects.filter(pk__in=memberships.values("organization"))


@dataclass(frozen=True, slots=True)
class OwnLimits:
    """Results a second; None is as the hub is set."""

    agent_per_s: int | None
    all_per_s: int | None


def read_own_limits(organization_ids: Collection[UUID]) -> dict[UUID, OwnLimits]:
    """Return the limits of those organizations that have some of their own."""
    rows = (
        Organization.objects.filter(pk__in=organization_ids)
        .exclude(most_agent_results_per_s=None, most_results_per_s=None)
        .values_list("id", "most_agent_results_per_s", "most_results_per_s")
    )
    return {key: OwnLimits(agent_per_s, all_per_s) for key, agent_per_s, all_per_s in rows}
