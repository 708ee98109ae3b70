"""Events in the admin: to look at; what happened is not rewritten."""

from django.contrib import admin

from webapp.accounts.owned_admin import OwnedAdmin, OwnRelatedFilter
from webapp.common.theme import badge
from webapp.events.models import Event


@admin.register(Event)
class EventAdmin(OwnedAdmin[Event]):
    list_display = ("occurred_at", "level", "title", "camera", "agent", "kind")
    list_filter = ("severity", ("camera", OwnRelatedFilter), ("agent", OwnRelatedFilter))
    list_select_related = ("camera", "agent")
    search_fields = ("title", "kind", "camera__name", "agent__name")

    @badge("Severity", {"info": "info", "warning": "warning", "error": "danger"})
    def level(self, event: Event) -> str:
        return event.severity
