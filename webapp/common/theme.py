"""The admin's theme (django-unfold, which has no types), behind names that mypy can check."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from django.db.models import Model
from unfold.decorators import display as unfold_display  # type: ignore[import-untyped]  # untyped

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as ThemedAdmin
    from django.contrib.admin import TabularInline as ThemedInline
    from django.contrib.auth.forms import (
        AdminPasswordChangeForm,
        AdminUserCreationForm,
        UserChangeForm,
    )
else:
    from unfold.admin import ModelAdmin as ThemedAdmin
    from unfold.admin import TabularInline as ThemedInline
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm
    from unfold.forms import UserCreationForm as AdminUserCreationForm

__all__ = (
    "AdminPasswordChangeForm",
    "AdminUserCreationForm",
    "ThemedAdmin",
    "ThemedInline",
    "UserChangeForm",
    "badge",
)

A = TypeVar("A")
M = TypeVar("M", bound=Model)
Column = Callable[[A, M], object]


def badge(
    title: str, colours: Mapping[str, str], *, ordering: str | None = None
) -> Callable[[Column[A, M]], Column[A, M]]:
    """Show a column's words as a label in a colour: "success", "warning", "danger" or "info"."""

    def decorate(column: Column[A, M]) -> Column[A, M]:
        shown: Column[A, M] = unfold_display(
            description=title, label=dict(colours), ordering=ordering
        )(column)
        return shown

    return decorate
