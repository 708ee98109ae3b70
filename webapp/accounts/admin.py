"""Users, organizations and roles in the admin: the business of superusers alone."""

from typing import ClassVar, TypeVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest

from webapp.accounts.models import Membership, Organization, User
from webapp.common.theme import (
    AdminPasswordChangeForm,
    AdminUserCreationForm,
    ThemedAdmin,
    ThemedInline,
    UserChangeForm,
)

M = TypeVar("M", bound=Model)

admin.site.unregister(Group)  # roles are memberships; Django's permissions are not used


class SuperuserOnly:
    """Roles are given out by superusers: no other role can raise itself."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 - the signature is Django's
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 - the signature is Django's
        return self.has_module_permission(request)

    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission


class MembershipInline(SuperuserOnly, ThemedInline[Membership, User]):
    model = Membership
    extra = 0
    autocomplete_fields = ("organization",)


class MembersInline(SuperuserOnly, ThemedInline[Membership, Organization]):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(User)
class UserAdmin(SuperuserOnly, DjangoUserAdmin[User], ThemedAdmin[User]):
    form = UserChangeForm[User]
    add_form = AdminUserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (MembershipInline,)
    list_display = ("username", "first_name", "last_name", "is_staff", "is_superuser", "last_login")
    list_filter: ClassVar = ("is_active", "is_staff", "is_superuser", "memberships__role")
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Who", {"fields": ("first_name", "last_name", "email")}),
        (
            "May log in, may open this admin, runs the hub",
            {"fields": ("is_active", "is_staff", "is_superuser")},
        ),
        ("When", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")


@admin.register(Organization)
class OrganizationAdmin(SuperuserOnly, ThemedAdmin[Organization]):
    inlines = (MembersInline,)
    list_display = ("name", "created_at")
    search_fields = ("name",)
    readonly_fields = ("created_at",)
