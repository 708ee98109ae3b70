"""What models said, in the admin: to look at. Nobody writes measurements by hand."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from processing.wire.packed import unpack
from webapp.accounts.models import Role
from webapp.accounts.owned_admin import OwnedAdmin, OwnRelatedFilter
from webapp.results.models import CameraMinute, LabelMinute, LostRange, Result

CAMERA = ("camera", OwnRelatedFilter)


@admin.register(Result)
class ResultAdmin(OwnedAdmin[Result]):
    list_display = ("captured_at", "camera", "bundle", "n_detections", "latency", "lag")
    list_filter = (CAMERA,)
    list_select_related = ("camera", "bundle")
    search_fields = ("camera__name",)
    ordering = ("-captured_at",)
    fields = (
        "camera",
        "agent",
        "bundle",
        "captured_at",
        "received_at",
        "latency",
        "lag",
        "epoch",
        "seq",
        "boxes",
    )
    readonly_fields = ("latency", "lag", "boxes")

    @admin.display(description="Latency")
    def latency(self, result: Result) -> str:
        return f"{result.latency_ms:.0f} ms"

    @admin.display(description="Lag")
    def lag(self, result: Result) -> str:
        return f"{(result.received_at - result.captured_at).total_seconds():.1f} s"

    @admin.display(description="Detections")
    def boxes(self, result: Result) -> SafeString:
        names = result.bundle.labels
        return format_html_join(
            "",
            "<div>{} {} at ({}, {}) to ({}, {})</div>",
            (
                (
                    names[found.label] if found.label < len(names) else found.label,
                    f"{found.score:.2f}",
                    *(f"{edge:.3f}" for edge in found[:4]),
                )
                for found in unpack(bytes(result.detections))
            ),
        )


@admin.register(CameraMinute)
class CameraMinuteAdmin(OwnedAdmin[CameraMinute]):
    list_display = ("minute_at", "camera", "n_results")
    list_filter = (CAMERA,)
    list_select_related = ("camera",)
    search_fields = ("camera__name",)
    ordering = ("-id",)


@admin.register(LabelMinute)
class LabelMinuteAdmin(OwnedAdmin[LabelMinute]):
    list_display = ("minute_at", "camera", "label_name", "n_tracks", "peak", "n_detections")
    list_filter = (CAMERA,)
    list_select_related = ("camera", "bundle")
    search_fields = ("camera__name",)
    ordering = ("-id",)

    @admin.display(description="Label")
    def label_name(self, row: LabelMinute) -> str:
        names: list[str] = row.bundle.labels
        return names[row.label] if row.label < len(names) else f"class {row.label}"


@admin.register(LostRange)
class LostRangeAdmin(OwnedAdmin[LostRange]):
    needed = Role.OPERATOR
    list_display = ("noticed_at", "agent", "lane", "reason", "n_entries")
    list_filter = ("lane", "reason", ("agent", OwnRelatedFilter))
    list_select_related = ("agent",)
    search_fields = ("agent__name", "detail")
