"""How API calls are authenticated: the session of a browser, with CSRF protection."""

from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request


class SessionLogin(SessionAuthentication):
    """A login's session; without one the answer is 401 (log in), not 403 (you may not)."""

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the signature is DRF's
        return 'Session realm="Farwatch"'
