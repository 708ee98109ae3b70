"""The fleet in the admin."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from processing.wire.limits import MAX_CAMERAS
from webapp.accounts.models import Role
from webapp.accounts.owned_admin import OwnedAdmin, OwnRelatedFilter
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.theme import badge
from webapp.fleet.actions import add_camera, create_join_token, revoke_agent, update_camera
from webapp.fleet.models import Agent, Bundle, Camera, JoinToken, Site
from webapp.fleet.wishes import POLICIES

ORGANIZATION = ("organization", OwnRelatedFilter)


@admin.register(Site)
class SiteAdmin(OwnedAdmin[Site]):
    may_add = may_change = may_delete = True
    list_display = ("name", "organization", "agents_link")
    list_filter = (ORGANIZATION,)
    list_select_related = ("organization",)
    search_fields = ("name",)

    @admin.display(description="Agents")
    def agents_link(self, site: Site) -> SafeString:
        url = reverse("admin:fleet_agent_changelist")
        return format_html('<a href="{}?site__id__exact={}">Agents</a>', url, site.pk)


@admin.register(Agent)
class AgentAdmin(OwnedAdmin[Agent]):
    may_change = True
    list_display = ("name", "site", "status", "last_seen_at", "n_pending", "cameras_link")
    list_filter = ("is_connected", "is_revoked", ("site", OwnRelatedFilter), ORGANIZATION)
    list_select_related = ("site",)
    search_fields = ("name", "site__name", "software")
    readonly_fields = (
        "site",
        "organization",
        "status",
        "software",
        "enrolled_at",
        "last_seen_at",
        "is_connected",
        "is_revoked",
        "desired_version",
        "reported_version",
        "clock_offset_ms",
        "n_pending",
        "problems",
        "found_cameras",
    )
    fieldsets = (
        (None, {"fields": ("name", "site", "organization", "status", "problems")}),
        (
            "Connection",
            {
                "fields": (
                    "is_connected",
                    "last_seen_at",
                    "n_pending",
                    "clock_offset_ms",
                    "found_cameras",
                )
            },
        ),
        ("Wanted and reported", {"fields": ("desired_version", "reported_version")}),
        ("Identity", {"fields": ("software", "enrolled_at", "is_revoked")}),
    )
    actions = ("revoke",)

    @badge("Status", {"online": "success", "offline": "warning", "revoked": "danger"})
    def status(self, agent: Agent) -> str:
        if agent.is_revoked:
            return "revoked"
        return "online" if agent.is_online(at=now()) else "offline"

    @admin.display(description="Cameras")
    def cameras_link(self, agent: Agent) -> SafeString:
        url = reverse("admin:fleet_camera_changelist")
        return format_html('<a href="{}?agent__id__exact={}">Cameras</a>', url, agent.pk)

    @admin.action(description="Revoke: shut out for good", permissions=["change"])
    def revoke(self, request: HttpRequest, agents: QuerySet[Agent]) -> None:
        actor = actor_of(request)
        mine = Agent.objects.for_actor(actor, Role.ADMIN).filter(pk__in=agents, is_revoked=False)
        revoked = list(mine)
        for agent in revoked:
            revoke_agent(agent, by=actor, at=now())
        messages.success(request, f"{len(revoked)} agents are revoked.")


class CameraForm(forms.ModelForm[Camera]):
    """What is wanted of a camera; the model judges it as the wire will."""

    class Meta:
        model = Camera
        fields = (
            "agent",
            "name",
            "source",
            "is_enabled",
            "analysed_fps",
            "score_threshold",
            "labels",
            "sample_policy",
            "policies",
            "scene",
        )

    def clean_agent(self) -> Agent:
        agent: Agent = self.cleaned_data["agent"]
        if agent.cameras.exclude(pk=self.instance.pk).count() >= MAX_CAMERAS:
            raise forms.ValidationError(f"An agent has {MAX_CAMERAS} cameras at the most.")
        return agent


@admin.register(Camera)
class CameraAdmin(OwnedAdmin[Camera]):
    may_add = may_change = True
    form = CameraForm
    list_display = ("name", "agent", "status", "fps", "n_dropped", "is_enabled", "links")
    list_filter = ("state", "is_enabled", ("agent", OwnRelatedFilter), ORGANIZATION)
    list_select_related = ("agent",)
    search_fields = ("name", "agent__name", "agent__site__name")
    reported = (
        "state", "state_reason", "state_since_at", "fps", "n_frames", "n_dropped", "n_gated",
        "size", "image",
    )  # fmt: skip
    readonly_fields = reported
    fieldsets = (
        ("Wanted", {"fields": CameraForm.Meta.fields}),
        ("Reported by its agent", {"fields": reported}),
    )

    def get_readonly_fields(
        self, request: HttpRequest, obj: Camera | None = None
    ) -> tuple[Any, ...]:
        readonly = super().get_readonly_fields(request, obj)
        return readonly if obj is None else (*readonly, "agent")  # a camera stays with its agent

    def save_model(
        self,
        request: HttpRequest,  # noqa: ARG002 - the signature is Django's
        obj: Camera,
        form: forms.ModelForm[Camera],
        change: bool,  # noqa: FBT001 - the signature is Django's
    ) -> None:
        """Write through the fleet's actions, which tell the agent."""
        changed: dict[str, Any] = {name: form.cleaned_data[name] for name in form.changed_data}
        if "policies" in changed:  # the page shows all of it, so what is gone is meant to be
            changed["policies"] = {name: {} for name in POLICIES} | changed["policies"]
        if change:
            if changed:
                update_camera(obj, at=now(), **changed)
            return
        changed.pop("agent", None)
        obj.pk = add_camera(obj.agent, at=now(), **changed).pk

    @badge(
        "State",
        {"online": "success", "connecting": "info", "unreachable": "danger", "disabled": "warning"},
        ordering="state",
    )
    def status(self, camera: Camera) -> str:
        return camera.state

    @admin.display(description="Picture")
    def size(self, camera: Camera) -> str:
        return f"{camera.width} x {camera.height}" if camera.width else "not known yet"

    @admin.display(description="See")
    def links(self, camera: Camera) -> SafeString:
        return format_html(
            '<a href="{}">Live</a> · <a href="{}?camera__id__exact={}">Results</a>',
            reverse("camera", args=[camera.pk]),
            reverse("admin:results_result_changelist"),
            camera.pk,
        )


@admin.register(JoinToken)
class JoinTokenAdmin(OwnedAdmin[JoinToken]):
    """The token is shown when it is made, once."""

    needed = Role.ADMIN
    may_add = may_delete = True
    list_display = ("site", "status", "created_by", "created_at", "expires_at", "agent")
    list_filter = (("site", OwnRelatedFilter), ORGANIZATION)
    list_select_related = ("site", "created_by", "agent")
    search_fields = ("site__name", "created_by__username")
    fields = ("site",)

    def save_model(
        self,
        request: HttpRequest,
        obj: JoinToken,
        form: forms.ModelForm[JoinToken],  # noqa: ARG002 - the signature is Django's
        change: bool,  # noqa: ARG002, FBT001 - the signature is Django's
    ) -> None:
        secret = create_join_token(obj.site, by=actor_of(request), at=now())
        obj.pk = UUID(hex=secret.split("_")[1])
        obj.refresh_from_db()
        messages.success(request, f"Copy it now, it is not shown again: {secret}")

    def response_add(
        self,
        request: HttpRequest,  # noqa: ARG002 - the signature is Django's
        obj: JoinToken,  # noqa: ARG002 - the signature is Django's
        post_url_continue: str | None = None,  # noqa: ARG002 - the signature is Django's
    ) -> HttpResponse:
        response = redirect("admin:fleet_jointoken_changelist")
        response["Cache-Control"] = "no-store"
        return response

    @badge("Status", {"open": "success", "used": "info", "expired": "warning"})
    def status(self, token: JoinToken) -> str:
        if token.used_at is not None:
            return "used"
        return "open" if token.expires_at > now() else "expired"


@admin.register(Bundle)
class BundleAdmin(OwnedAdmin[Bundle]):
    list_display = ("name", "version", "digest", "n_labels", "first_seen_at")
    list_filter = (ORGANIZATION,)
    search_fields = ("name", "version", "digest")

    @admin.display(description="Labels")
    def n_labels(self, bundle: Bundle) -> int:
        return len(bundle.labels)
