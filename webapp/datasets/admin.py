"""Samples and annotations in the admin: to look at."""

from typing import ClassVar

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from webapp.accounts.models import Role
from webapp.accounts.owned_admin import OwnedAdmin, OwnRelatedFilter
from webapp.common.theme import badge
from webapp.datasets.models import Annotation, Sample


@admin.register(Sample)
class SampleAdmin(OwnedAdmin[Sample]):
    list_display = ("small", "captured_at", "camera", "why", "score", "status")
    list_display_links = ("small", "captured_at")
    list_filter = ("state", "reason", ("camera", OwnRelatedFilter))
    list_select_related = ("camera",)
    search_fields = ("camera__name", "agent__name")
    fields: ClassVar = (
        "large",
        "camera",
        "agent",
        "bundle",
        "captured_at",
        "received_at",
        "reason",
        "score",
        "file_name",
        "width",
        "height",
        "state",
        "passed_over",
    )
    readonly_fields = ("large",)

    @admin.display(description="Picture")
    def small(self, sample: Sample) -> SafeString | str:
        if sample.state != Sample.State.READY or sample.thumbnail_id is None:
            return "not checked" if sample.state == Sample.State.RECEIVED else "none"
        url = reverse("thumbnail", args=[sample.pk])
        return format_html(
            '<img src="{}" alt="" style="height: 54px; width: auto" loading="lazy">', url
        )

    @admin.display(description="Picture")
    def large(self, sample: Sample) -> SafeString | str:
        if sample.state != Sample.State.READY:
            return sample.get_state_display()
        url = reverse("picture", args=[sample.pk])
        return format_html('<a href="{0}"><img src="{0}" alt="" style="max-width: 640px"></a>', url)

    @admin.display(description="Reason", ordering="reason")
    def why(self, sample: Sample) -> str:
        return sample.get_reason_display()

    @badge("State", {"ready": "success", "received": "info", "broken": "danger"}, ordering="state")
    def status(self, sample: Sample) -> str:
        return sample.state


@admin.register(Annotation)
class AnnotationAdmin(OwnedAdmin[Annotation]):
    """For admins alone: some are known answers, others of work that is not over."""

    needed = Role.ADMIN
    list_display = ("created_at", "author", "n_boxes", "is_current", "sample_link")
    list_filter = ("is_current",)
    list_select_related = ("author",)
    search_fields = ("author__username", "sample__camera__name")

    @admin.display(description="Boxes")
    def n_boxes(self, annotation: Annotation) -> int:
        return len(annotation.boxes)

    @admin.display(description="Sample")
    def sample_link(self, annotation: Annotation) -> SafeString:
        url = reverse("admin:datasets_sample_change", args=[annotation.sample_id])
        return format_html('<a href="{}">Sample</a>', url)
