"""Answering with a whole page, or with the part of it that htmx asked for."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.middleware import HtmxDetails


def is_htmx(request: HttpRequest) -> bool:
    """Return whether htmx asks for a part of the page it already shows."""
    details = getattr(request, "htmx", None)
    return isinstance(details, HtmxDetails) and bool(details) and not details.boosted


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, object] | None = None,
    *,
    part: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render `part` for htmx (one file, whether included or fetched), else the whole page.

    Either form may be kept by the browser only for the form it is: `Vary: HX-Request`.
    """
    chosen = part if part and is_htmx(request) else template
    response = render(request, chosen, dict(context or {}), status=status)
    response.headers["Vary"] = ", ".join(
        filter(None, (response.headers.get("Vary", ""), "HX-Request"))
    )
    response.headers.setdefault("Cache-Control", "no-store")
    return response
