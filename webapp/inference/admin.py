"""API keys and what was used of the inference tier, to look at."""

from django.contrib import admin

from webapp.accounts.models import Role
from webapp.accounts.owned_admin import OwnedAdmin, OwnRelatedFilter
from webapp.inference.models import ApiKey, UsageHour


@admin.register(ApiKey)
class ApiKeyAdmin(OwnedAdmin[ApiKey]):
    """Made and revoked on the hub's own page, which shows the secret."""

    needed = Role.ADMIN
    list_display = ("name", "shown", "created_at", "created_by", "revoked_at", "last_used_at")
    list_filter = (("organization", OwnRelatedFilter),)
    list_select_related = ("created_by",)
    search_fields = ("name", "shown")


@admin.register(UsageHour)
class UsageHourAdmin(OwnedAdmin[UsageHour]):
    list_display = ("hour_at", "kind", "model", "n_answered", "n_refused", "n_late", "n_bytes")
    list_filter = ("kind", ("organization", OwnRelatedFilter))
    search_fields = ("model",)
    ordering = ("-hour_at",)
