"""A person who may look: `python -m …` prints the session cookie of an operator."""

from webapp.env import default_settings_module

default_settings_module()

import django  # noqa: E402 - after the settings are named

django.setup()

from django.conf import settings  # noqa: E402 - after Django is set up
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402 - same

from webapp.accounts.models import Membership, Organization, Role, User  # noqa: E402 - same


def log_in() -> str:
    """Return a session's key, as if an operator of the only organization had logged in."""
    user = User.objects.create_user("operator")
    Membership.objects.create(
        user=user, organization=Organization.objects.get(), role=Role.OPERATOR
    )
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


if __name__ == "__main__":
    print(log_in())
