"""Who asks: the typed user of a request behind a login."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from rest_framework.request import Request

from webapp.accounts.models import User


class AuthedRequest(HttpRequest):
    """A request whose view is only reached after login, for annotations."""

    user: User


def actor_of(request: HttpRequest | Request) -> User:
    """Return who asks; raise `PermissionDenied` (403) when nobody is logged in."""
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        raise PermissionDenied
    return user
