"""What a page of ours may load and run: our own files, nothing inline, nothing from elsewhere."""

from collections.abc import Callable, Mapping
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER: Final = "Content-Security-Policy"


def _policy(sources: Mapping[str, str]) -> str:
    return "; ".join(f"{directive} {allowed}" for directive, allowed in sources.items())


_ALWAYS: Final = {
    "default-src": "'none'",
    "img-src": "'self' blob: data:",
    "media-src": "'self' blob:",  # live video is put together in the page
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
STRICT: Final = _policy(
    _ALWAYS
    | {
        "script-src": "'self'",
        "style-src": "'self'",
        # The editor of boxes sets style attributes; they cannot run anything.
        "style-src-attr": "'unsafe-inline'",
    }
)
LENIENT: Final = _policy(
    _ALWAYS
    | {
        # The admin's theme and the API's reference bring scripts of their own, inline.
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",
    }
)
LENIENT_FOR: Final = ("/admin/", "/api/docs/")


class ContentSecurityPolicy:
    """Middleware that says so in every response that does not say it itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        policy = LENIENT if request.path.startswith(LENIENT_FOR) else STRICT
        response.headers.setdefault(HEADER, policy)
        return response
