"""The labelers' work in the admin: queues to name, items and verdicts to look at."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from webapp.accounts.models import Role
from webapp.accounts.owned_admin import OwnedAdmin, OwnRelatedFilter
from webapp.common.theme import badge
from webapp.review.models import Lease, ReviewItem, ReviewQueue, Verdict


@admin.register(ReviewQueue)
class ReviewQueueAdmin(OwnedAdmin[ReviewQueue]):
    needed = Role.LABELER
    may_add = may_change = True
    list_display = ("name", "organization", "items_link")
    list_filter = (("organization", OwnRelatedFilter),)
    list_select_related = ("organization",)
    search_fields = ("name",)

    @admin.display(description="Items")
    def items_link(self, queue: ReviewQueue) -> SafeString:
        url = reverse("admin:review_reviewitem_changelist")
        return format_html('<a href="{}?queue__id__exact={}">Items</a>', url, queue.pk)


@admin.register(ReviewItem)
class ReviewItemAdmin(OwnedAdmin[ReviewItem]):
    needed = Role.LABELER
    list_display = ("created_at", "queue", "status", "priority", "revision", "open_link")
    list_filter = ("state", ("queue", OwnRelatedFilter))
    list_select_related = ("queue",)
    search_fields = ("sample__camera__name",)

    @badge("State", {"open": "info", "done": "success", "ambiguous": "warning"}, ordering="state")
    def status(self, item: ReviewItem) -> str:
        return item.state

    @admin.display(description="See")
    def open_link(self, item: ReviewItem) -> SafeString:
        return format_html('<a href="{}">Open</a>', reverse("review_item", args=[item.pk]))


@admin.register(Verdict)
class VerdictAdmin(OwnedAdmin[Verdict]):
    needed = Role.LABELER
    list_display = ("created_at", "by", "result", "seconds", "undone_at", "item_link")
    list_filter = ("outcome",)
    list_select_related = ("by",)
    search_fields = ("by__username", "item__sample__camera__name")

    @badge(
        "Outcome",
        {"accepted": "success", "corrected": "info", "ambiguous": "warning", "passed": "warning"},
        ordering="outcome",
    )
    def result(self, verdict: Verdict) -> str:
        return verdict.outcome

    @admin.display(description="Item")
    def item_link(self, verdict: Verdict) -> SafeString:
        url = reverse("admin:review_reviewitem_change", args=[verdict.item_id])
        return format_html('<a href="{}">Item</a>', url)


@admin.register(Lease)
class LeaseAdmin(OwnedAdmin[Lease]):
    """Deleting one frees its item at once."""

    needed = Role.LABELER
    may_delete = True
    list_display = ("item", "holder", "claimed_at", "expires_at", "is_prepared")
    list_filter = ("is_prepared",)
    list_select_related = ("item__sample__camera", "holder")
    search_fields = ("holder__username",)
