"""The login form."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from webapp.accounts.attempts import WINDOW, LogInAttempts, client_address
from webapp.common.clock import now


class LogInForm(AuthenticationForm):
    """Name and password; tells nothing about which of them was wrong, nor who exists."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "This user name and this password do not belong together.",
    }
    is_throttled = False

    def clean(self) -> dict[str, Any]:
        assert self.request is not None
        attempts = LogInAttempts(
            username=str(self.cleaned_data.get("username", "")),
            address=client_address(self.request),
            at=now(),
        )
        if attempts.are_exhausted():
            self.is_throttled = True
            minutes = WINDOW.seconds // 60
            raise ValidationError(
                f"Too many wrong passwords. Wait {minutes} minutes, then try again.",
                code="throttled",
            )
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            attempts.count_failure()
            raise
        attempts.forget()
        return cleaned
