"""The page of webhooks: who is told what labelers settled, how the last tries went, and trying."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.models import Organization, Role, User
from webapp.accounts.permissions import requires
from webapp.accounts.queries import organizations_where
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.outward import MAX_URL, BadAddress, check_address
from webapp.common.pages import is_htmx, page
from webapp.common.problems import problem, problem_http
from webapp.jobs.models import Job
from webapp.jobs.queries import has_live_worker
from webapp.review.models import Webhook
from webapp.review.webhooks import (
    CannotTest,
    TooManyWebhooks,
    add_webhook,
    last_deliveries,
    secret_of,
    send_test,
)

N_DELIVERIES: Final = 5
"""Shown of each."""
_SWITCHED: Final = {"yes": True, "no": False}


class WebhookForm(forms.Form):
    """An address that is to be told."""

    url = forms.CharField(
        label="Address",
        max_length=MAX_URL,
        widget=forms.URLInput({"class": "input", "placeholder": "https://example.org/farwatch"}),
    )
    organization = forms.ModelChoiceField(
        Organization.objects.none(),
        label="Organization",
        empty_label=None,
        widget=forms.Select({"class": "input"}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, actor: User) -> None:
        super().__init__(data)
        organizations = organizations_where(actor, Role.ADMIN)
        self.is_one_organization = organizations.count() == 1
        choice = self.fields["organization"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = organizations
        if self.is_one_organization:
            choice.required = False
            self.only = organizations.get()

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            check_address(url, may_be_private=settings.WEBHOOKS_MAY_BE_PRIVATE)
        except BadAddress as error:
            raise ValidationError(str(error)) from error
        return url

    def clean_organization(self) -> Organization:
        chosen: Organization | None = self.cleaned_data["organization"]
        return chosen or self.only


@require_safe
@requires(Role.ADMIN)
def webhooks(request: HttpRequest) -> HttpResponse:
    """Show the addresses; htmx gets the list alone."""
    user = actor_of(request)
    context = _found(user) | {"form": WebhookForm(actor=user)}
    return page(request, "review/webhooks.html", context, part="review/_webhooks.html")


@require_POST
@requires(Role.ADMIN)
def add(request: HttpRequest) -> HttpResponse:
    """Have an address told from now on, and show its secret this once."""
    user = actor_of(request)
    form, added = WebhookForm(request.POST, actor=user), None
    if form.is_valid():
        told = form.cleaned_data
        try:
            added = add_webhook(
                organization=told["organization"], url=told["url"], by=user, at=now()
            )
        except TooManyWebhooks as error:
            form.add_error(None, str(error))
    context: dict[str, object] = {
        "form": form if added is None else WebhookForm(actor=user),
        "added": added,
        "secret": added and secret_of(added),
    }
    if not is_htmx(request):
        context |= _found(user)
    status = HTTPStatus.OK if added else HTTPStatus.UNPROCESSABLE_ENTITY
    answer = page(
        request, "review/webhooks.html", context, part="review/_webhook_new.html", status=status
    )
    return _renewing(answer) if added else answer


@require_POST
@requires(Role.ADMIN)
def switch(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Tell an address nothing for a while, or again: as the form says, however often it comes."""
    webhook = _webhook(request, webhook_id)
    wanted = request.POST.get("is_active")
    if wanted not in _SWITCHED:
        detail, errors = "Say whether it is to be told.", {"is_active": ["Say yes or no."]}
        wrong = problem(HTTPStatus.BAD_REQUEST, code="invalid", detail=detail, errors=errors)
        return problem_http(wrong)
    webhook.is_active = _SWITCHED[wanted]
    webhook.save(update_fields=["is_active"])
    return _done(request)


@require_POST
@requires(Role.ADMIN)
def test(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Tell an address that this is a test."""
    try:
        send_test(_webhook(request, webhook_id), by=actor_of(request), at=now())
    except CannotTest as error:
        if not is_htmx(request):  # there the list says so, at once
            messages.warning(request, str(error))
    return _done(request)


@require_POST
@requires(Role.ADMIN)
def delete(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Forget an address: it is told nothing any more."""
    _webhook(request, webhook_id).delete()
    return _done(request)


def _found(user: User) -> dict[str, object]:
    mine = Webhook.objects.for_actor(user, Role.ADMIN).select_related("organization", "created_by")
    hooks = list(mine)
    deliveries = last_deliveries(hooks, most=N_DELIVERIES)
    return {
        "rows": [_row(hook, deliveries[hook.pk]) for hook in hooks],
        "is_worker_missing": not has_live_worker(at=now()),
        "names_organization": len({hook.organization_id for hook in hooks}) > 1,
    }


def _row(webhook: Webhook, deliveries: Sequence[Job]) -> dict[str, object]:
    is_testing = any(job.arguments.get("is_test") and not job.is_finished for job in deliveries)
    return {"webhook": webhook, "deliveries": deliveries, "is_testing": is_testing}


def _webhook(request: HttpRequest, webhook_id: UUID) -> Webhook:
    mine = Webhook.objects.for_actor(actor_of(request), Role.ADMIN)
    return get_object_or_404(mine.select_related("organization"), pk=webhook_id)


def _done(request: HttpRequest) -> HttpResponse:
    if not is_htmx(request):
        return redirect("webhooks")
    return _renewing(HttpResponse(status=HTTPStatus.NO_CONTENT))


def _renewing(answer: HttpResponse) -> HttpResponse:
    """Have the list fetch itself anew; what was pressed may be gone by then."""
    answer.headers["HX-Trigger"] = '{"fw:webhooks": {"target": "body"}}'
    return answer
