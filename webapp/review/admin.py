"""The labelers' work in the admin: queues and teams to set up, what was decided to look at."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from webapp.accounts.models import Membership, Role, User
from webapp.accounts.owned_admin import OwnedAdmin, OwnRelatedFilter
from webapp.accounts.queries import organizations_where
from webapp.accounts.requests import actor_of
from webapp.common.theme import badge
from webapp.review.models import (
    Check,
    GoldAnswer,
    LabelerFlag,
    Lease,
    ReviewItem,
    ReviewQueue,
    Team,
    Verdict,
    Webhook,
)

if TYPE_CHECKING:
    from django.db.models import ManyToManyField


@admin.register(Team)
class TeamAdmin(OwnedAdmin[Team]):
    needed = Role.LABELER
    may_add = may_change = may_delete = True
    list_display = ("name", "organization")
    list_filter = (("organization", OwnRelatedFilter),)
    list_select_related = ("organization",)
    search_fields = ("name",)

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any] | None:
        """Offer only people of organizations that the actor may write to."""
        organizations = organizations_where(actor_of(request), Role.ADMIN)
        members = Membership.objects.filter(organization__in=organizations).values("user")
        kwargs["queryset"] = User.objects.filter(pk__in=members).order_by("username")
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(ReviewQueue)
class ReviewQueueAdmin(OwnedAdmin[ReviewQueue]):
    needed = Role.LABELER
    may_add = may_change = True
    exclude = ("policy",)  # by the API, which says what is wrong in it
    list_display = ("name", "organization", "n_labelers", "checked_share", "items_link")
    list_filter = (("organization", OwnRelatedFilter),)
    list_select_related = ("organization",)
    search_fields = ("name",)

    @admin.display(description="Items")
    def items_link(self, queue: ReviewQueue) -> SafeString:
        url = reverse("admin:review_reviewitem_changelist")
        return format_html('<a href="{}?queue__id__exact={}">Items</a>', url, queue.pk)


@admin.register(ReviewItem)
class ReviewItemAdmin(OwnedAdmin[ReviewItem]):
    """For admins alone: to labelers one with a known answer looks as if it were open."""

    needed = Role.ADMIN
    list_display = ("created_at", "queue", "status", "priority", "revision", "open_link")
    list_filter = ("state", ("queue", OwnRelatedFilter))
    list_select_related = ("queue",)
    search_fields = ("sample__camera__name",)

    @badge(
        "State",
        {
            "open": "info",
            "disputed": "danger",
            "checking": "info",
            "done": "success",
            "ambiguous": "warning",
        },
        ordering="state",
    )
    def status(self, item: ReviewItem) -> str:
        return item.state

    @admin.display(description="See")
    def open_link(self, item: ReviewItem) -> SafeString:
        return format_html('<a href="{}">Open</a>', reverse("review_item", args=[item.pk]))


@admin.register(Verdict)
class VerdictAdmin(OwnedAdmin[Verdict]):
    """For admins alone: labelers do not see each other's work before all have decided."""

    needed = Role.ADMIN
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


@admin.register(Webhook)
class WebhookAdmin(OwnedAdmin[Webhook]):
    """Added over the API, which checks the address; here they are looked at and deleted."""

    may_delete = True
    list_display = ("url", "is_active", "told_at", "status", "error", "n_told", "n_failures")
    list_filter = ("is_active",)
    search_fields = ("url",)


@admin.register(Lease)
class LeaseAdmin(OwnedAdmin[Lease]):
    """Deleting one frees its item at once."""

    needed = Role.LABELER
    may_delete = True
    list_display = ("item", "holder", "claimed_at", "expires_at", "is_prepared")
    list_filter = ("is_prepared",)
    list_select_related = ("item__sample__camera", "holder")
    search_fields = ("holder__username",)


@admin.register(Check)
class CheckAdmin(OwnedAdmin[Check]):
    needed = Role.ADMIN
    list_display = ("created_at", "by", "decision", "verdict", "comment")
    list_filter = ("decision",)
    list_select_related = ("by", "verdict__by")
    search_fields = ("by__username", "verdict__by__username", "comment")


@admin.register(GoldAnswer)
class GoldAnswerAdmin(OwnedAdmin[GoldAnswer]):
    needed = Role.ADMIN
    list_display = ("created_at", "item", "by", "retired_at")
    list_select_related = ("item__sample__camera", "by")
    search_fields = ("note",)


@admin.register(LabelerFlag)
class LabelerFlagAdmin(OwnedAdmin[LabelerFlag]):
    needed = Role.ADMIN
    list_display = ("raised_at", "labeler", "queue", "n_judged", "mean_error", "closed_at")
    list_filter = (("queue", OwnRelatedFilter),)
    list_select_related = ("labeler", "queue")
    search_fields = ("labeler__username",)
