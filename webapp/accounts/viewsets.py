"""The base of the API's lists: rows of the actor's organizations, in pages, with named filters."""

from collections.abc import Mapping
from typing import ClassVar, TypeVar, cast

from django.db.models import Model
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import BasePermission
from rest_framework.viewsets import GenericViewSet

from webapp.accounts.models import Role
from webapp.accounts.permissions import IsAdmin, IsLabeler, IsMember, IsOperator
from webapp.accounts.requests import actor_of
from webapp.accounts.tenancy import OwnedQuerySet
from webapp.common.filters import Allowed, AllowedFilters

M = TypeVar("M", bound=Model)

_PERMISSION: Mapping[Role | None, type[BasePermission]] = {
    None: IsMember,
    Role.OPERATOR: IsOperator,
    Role.LABELER: IsLabeler,
    Role.ADMIN: IsAdmin,
}


class OwnedRows(GenericViewSet[M]):
    """Reads need `needed`, writes (POST, PATCH, DELETE) `needed_to_write`; None: any member.

    Rows are those of organizations in which the actor has that role; others are not there (404).
    """

    needed: ClassVar[Role | None] = None
    needed_to_write: ClassVar[Role | None] = Role.ADMIN
    filters: ClassVar[Mapping[str, Allowed]] = {}
    filter_backends = (AllowedFilters,)

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Say that nobody keeps the answer: whom it is for is in the cookie, not in the address."""
        return {**super().default_response_headers, "Cache-Control": "private, no-store"}

    @property
    def needed_now(self) -> Role | None:
        is_read = self.request.method in {"GET", "HEAD", "OPTIONS"}
        return self.needed if is_read else self.needed_to_write

    def get_permissions(self) -> list[BasePermission]:
        if getattr(self, "swagger_fake_view", False):
            return []
        return [_PERMISSION[self.needed_now]()]

    def get_queryset(self) -> OwnedQuerySet[M]:
        queryset = cast("OwnedQuerySet[M]", super().get_queryset())
        if getattr(self, "swagger_fake_view", False):  # the schema is made without an actor
            return queryset.none()
        return queryset.for_actor(actor_of(self.request), self.needed_now)


class OwnedViewSet(ListModelMixin, RetrieveModelMixin, OwnedRows[M]):
    """Rows as a list, newest first, and one by one."""
