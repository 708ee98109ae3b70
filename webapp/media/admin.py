"""Stored files in the admin: what there is, never its bytes; those belong to their owner's page."""

from django.contrib import admin
from django.template.defaultfilters import filesizeformat

from webapp.accounts.models import Role
from webapp.accounts.owned_admin import OwnedAdmin, OwnRelatedFilter
from webapp.media.models import Blob


@admin.register(Blob)
class BlobAdmin(OwnedAdmin[Blob]):
    needed = Role.ADMIN
    list_display = ("created_at", "content_type", "human_size", "sha256", "organization")
    list_filter = ("content_type", ("organization", OwnRelatedFilter))
    list_select_related = ("organization",)
    search_fields = ("sha256",)
    ordering = ("-created_at",)

    @admin.display(description="Size", ordering="size")
    def human_size(self, blob: Blob) -> str:
        return filesizeformat(blob.size)
