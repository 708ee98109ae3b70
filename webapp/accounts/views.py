"""Logging in: one door for pages and admin, with a limit on wrong passwords."""

from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

from webapp.accounts.forms import LogInForm


class LogIn(LoginView):
    """Ask for a name and a password; 429 after too many wrong ones."""

    template_name = "accounts/login.html"
    authentication_form = LogInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        if isinstance(form, LogInForm) and form.is_throttled:
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        return response


@login_not_required
def admin_login(request: HttpRequest) -> HttpResponse:
    """Send the admin's visitors to our login; who is in already, and sent here, may not."""
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next") or resolve_url("admin:index"))
