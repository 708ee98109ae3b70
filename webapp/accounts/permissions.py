"""Who may use a view: members with a role. Objects are narrowed by `for_actor`, not here."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from webapp.accounts.models import Role, User
from webapp.accounts.queries import roles_of

if TYPE_CHECKING:  # it imports this module, by its name in the settings
    from rest_framework.views import APIView

P = ParamSpec("P")


def has_role(user: User, needed: Role) -> bool:
    """Return whether `user` holds a role that covers `needed` in any organization."""
    return any(role.allows(needed) for role in roles_of(user))


def requires(
    needed: Role,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Let only members whose role covers `needed` into the view; others get 403.

    Which organization the role is in is settled by `for_actor(actor, needed)` on the objects.
    """

    def decorate(
        view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated or not has_role(request.user, needed):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


class IsMember(BasePermission):
    """Members of any organization, whatever their role."""

    def has_permission(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002 - the signature is DRF's
        user = request.user
        return isinstance(user, User) and user.is_active and bool(roles_of(user))


class IsOperator(BasePermission):
    """Operators and admins."""

    needed = Role.OPERATOR

    def has_permission(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002 - the signature is DRF's
        user = request.user
        return isinstance(user, User) and user.is_active and has_role(user, self.needed)


class IsLabeler(IsOperator):
    """Labelers and admins."""

    needed = Role.LABELER


class IsAdmin(IsOperator):
    """Admins."""

    needed = Role.ADMIN
