"""The page of API keys: make one, see its secret once, call it off."""

from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.models import Role, User
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import is_htmx, page
from webapp.inference.forms import KeyForm
from webapp.inference.keys import TooManyKeys, create_key, revoke_key
from webapp.inference.models import ApiKey
from webapp.inference.proxy import DETECT
from webapp.inference.usage import key_rows


@require_safe
@requires(Role.ADMIN)
def keys(request: HttpRequest) -> HttpResponse:
    """Show the keys; htmx gets the list alone."""
    user = actor_of(request)
    context = _found(user) | {"form": KeyForm(actor=user)}
    return page(request, "inference/keys.html", context, part="inference/_keys.html")


@require_POST
@requires(Role.ADMIN)
def add(request: HttpRequest) -> HttpResponse:
    """Make a key, and show its secret this once."""
    user = actor_of(request)
    form, made = KeyForm(request.POST, actor=user), None
    if form.is_valid():
        organization = form.cleaned_data["organization"]
        try:
            made = create_key(organization, form.terms, by=user, at=now())
        except TooManyKeys as error:
            form.add_error(None, str(error))
    base = settings.TIER_PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
    context: dict[str, object] = {
        "form": form if made is None else KeyForm(actor=user),
        "made": made,
        "detect_url": f"{base}{DETECT}",
    }
    if not is_htmx(request):
        context |= _found(user)
    status = HTTPStatus.OK if made else HTTPStatus.UNPROCESSABLE_ENTITY
    answer = page(
        request, "inference/keys.html", context, part="inference/_key_new.html", status=status
    )
    return _renewing(answer) if made else answer


@require_POST
@requires(Role.ADMIN)
def revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Call a key off for good."""
    mine = ApiKey.objects.for_actor(actor_of(request), Role.ADMIN)
    revoke_key(get_object_or_404(mine, pk=key_id), at=now())
    if not is_htmx(request):
        return redirect("api_keys")
    return _renewing(HttpResponse(status=HTTPStatus.NO_CONTENT))


def _found(user: User) -> dict[str, object]:
    rows = key_rows(user, at=now())
    return {
        "rows": rows,
        "is_configured": bool(settings.TIER_URL),
        "names_organization": len({row.key.organization_id for row in rows}) > 1,
    }


def _renewing(answer: HttpResponse) -> HttpResponse:
    """Have the list fetch itself anew; what was pressed may be gone by then."""
    answer.headers["HX-Trigger"] = '{"fw:keys": {"target": "body"}}'
    return answer
