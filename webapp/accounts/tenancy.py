"""Every row belongs to an organization; every query starts at `for_actor(actor)`."""

from typing import Self, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db import models

from webapp.accounts.models import Membership, Organization, Role, User
from webapp.common.ids import uuid7

Actor = User | AnonymousUser
M = TypeVar("M", bound=models.Model)


class OwnedQuerySet(models.QuerySet[M]):
    """Rows of organizations."""

    def for_actor(self, actor: Actor, needed: Role | None = None) -> Self:
        """Return the rows that `actor` may know of: those of their organizations.

        With `needed`, only of the organizations where the actor's role covers it. A superuser runs
        the hub itself and sees all; a stranger sees nothing, not even that a row exists (a view
        answers 404).
        """
        if not actor.is_authenticated or not actor.is_active:
            return self.none()
        if actor.is_superuser:
            return self.all()
        roles = [role for role in Role if needed is None or role.allows(needed)]
        mine = Membership.objects.filter(user=actor, role__in=roles).values("organization")
        return self.filter(organization__in=mine)


class OwnedManager(models.Manager[M]):
    """Written out, where `from_queryset` would do: types made at run time confuse mypy's cache."""

    def get_queryset(self) -> OwnedQuerySet[M]:
        return OwnedQuerySet(self.model, using=self._db)

    def for_actor(self, actor: Actor, needed: Role | None = None) -> OwnedQuerySet[M]:
        """See `OwnedQuerySet`."""
        return self.get_queryset().for_actor(actor, needed)


class Owned(models.Model):
    """Base of every row of an organization."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")

    objects = OwnedManager()

    class Meta:
        abstract = True
