"""The design system's tags: `{% load ui %}`, then `{% icon "camera" %}`, `{% ago instant %}`, …"""

from datetime import datetime, timedelta

from django import template
from django.template.context import RequestContext
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from webapp.accounts.models import Role, User
from webapp.accounts.queries import organizations_of, roles_of
from webapp.common.clock import now

register = template.Library()

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Return an icon of `static/img/icons.svg`; with `label` it says something by itself."""
    described = (
        format_html('role="img" aria-label="{}"', label)
        if label
        else SafeString('aria-hidden="true"')
    )
    return format_html(
        '<svg class="icon" {}><use href="{}#{}"></use></svg>',
        described,
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def ago(instant: datetime | None, never: str = "never") -> SafeString | str:
    """Return a `<time>` in relative words, which `ago.js` keeps true while the page is open."""
    if instant is None:
        return never
    words = length(now() - instant)
    return _time(instant, "ago", f"{words} ago" if words else "just now")


@register.simple_tag
def lasting(since: datetime) -> SafeString:
    """Return a `<time>` that says how long something has been so: "for 3 min"."""
    words = length(now() - since)
    return _time(since, "for", f"for {words}" if words else "for a moment")


def length(passed: timedelta) -> str:
    """Return a length of time in the words of `ago.js`; empty for less than a minute."""
    seconds = passed.total_seconds()
    if seconds < _MINUTE:
        return ""
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h"
    days = int(seconds // _DAY)
    return "1 day" if days == 1 else f"{days} days"


def _time(instant: datetime, form: str, words: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}" data-ago="{}">{}</time>',
        instant.isoformat(timespec="milliseconds"),
        f"{instant:%Y-%m-%d %H:%M:%S} UTC",
        form,
        words,
    )


@register.filter
def compact(value: float) -> str:
    """Return a figure short enough for a card: 950, 12.4k, 3.1M."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            scaled = value / (1e3 if unit == "k" else limit)
            return f"{scaled:.1f}".removesuffix(".0") + unit
    return f"{value:,.0f}"


@register.inclusion_tag("components/nav.html", takes_context=True)
def main_nav(context: RequestContext) -> dict[str, object]:
    """Show the pages that this user may open."""
    match = context.request.resolver_match
    roles = _roles(context)
    return {
        "here": match.url_name if match else "",
        "may_operate": any(role.allows(Role.OPERATOR) for role in roles),
        "may_review": any(role.allows(Role.LABELER) for role in roles),
    }


@register.inclusion_tag("components/user_menu.html", takes_context=True)
def user_menu(context: RequestContext) -> dict[str, object]:
    """Show who is logged in, where they belong and as what, and the way out."""
    user = context.request.user
    assert isinstance(user, User)
    memberships = user.memberships.select_related("organization").order_by("organization__name")
    places = [(member.organization.name, member.get_role_display()) for member in memberships]
    if user.is_superuser:
        known = {name for name, _ in places}
        others = (each.name for each in organizations_of(user) if each.name not in known)
        places += [(name, Role.ADMIN.label) for name in others]
    return {
        "user": user,
        "places": places[:6],
        "n_more_places": max(len(places) - 6, 0),
        "is_admin": user.is_superuser or any(member.role == Role.ADMIN for member in memberships),
        "csrf_token": context.get("csrf_token"),
    }


def _roles(context: RequestContext) -> set[Role]:
    user = context.request.user
    return roles_of(user) if isinstance(user, User) else set()
