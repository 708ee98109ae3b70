"""Batches in the admin: to look at."""

from django.contrib import admin

from webapp.accounts.owned_admin import OwnedAdmin, OwnRelatedFilter
from webapp.batches.models import Batch
from webapp.common.theme import badge


@admin.register(Batch)
class BatchAdmin(OwnedAdmin[Batch]):
    list_display = ("name", "created_at", "bundle_name", "n_done", "n_items", "n_failed", "status")
    list_filter = ("state", "source", ("organization", OwnRelatedFilter))
    search_fields = ("name",)
    ordering = ("-created_at",)

    @badge(
        "State",
        {"running": "info", "done": "success", "failed": "danger", "paused": "warning"},
        ordering="state",
    )
    def status(self, batch: Batch) -> str:
        return batch.state
