"""What a bearer may do: the tier asks, the hub looks it up."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from django.conf import settings
from django.db.models import Q, Sum

from processing.wire.tier import Grant
from webapp.accounts.models import Membership, User
from webapp.fleet.models import Agent
from webapp.inference.keys import ALL_SCOPES, KEY_PREFIX, hash_of
from webapp.inference.models import ApiKey, UsageHour
from webapp.inference.tokens import TOKEN_PREFIX, BadToken, Bearer, read_token

GRANT_S: Final = 30.0
"""So long a tier goes by an answer: a revoked key works no longer than that."""
USED_EVERY: Final = timedelta(minutes=1)
"""How exactly it is kept when a key was last used."""
_USER_PICTURES_PER_S: Final = 2.0
_USER_BURST: Final = 5
_AGENT_BURST_S: Final = 2.0


def grant_for(bearer: str, *, at: datetime) -> Grant | None:
    """Return what a bearer may do; None when nobody knows it, or it is over."""
    if bearer.startswith(TOKEN_PREFIX):
        return _of_token(bearer, at=at)
    if bearer.startswith(KEY_PREFIX):
        return _of_key(bearer, at=at)
    return None


def n_answered_today(grant_ids: list[UUID], *, at: datetime) -> Mapping[UUID, int]:
    """Return how many pictures were answered for each since midnight, UTC."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    counted = (
        UsageHour.objects.filter(grant_id__in=grant_ids, hour_at__gte=midnight)
        .order_by()
        .values_list("grant_id")
        .annotate(n_pictures=Sum("n_answered"))
    )
    return dict(counted)


def _of_key(secret: str, *, at: datetime) -> Grant | None:
    key = ApiKey.objects.filter(secret_hash=hash_of(secret), revoked_at=None).first()
    if key is None:
        return None
    is_stale = Q(last_used_at=None) | Q(last_used_at__lt=at - USED_EVERY)
    ApiKey.objects.filter(is_stale, pk=key.pk).update(last_used_at=at)
    n_left = None
    if key.pictures_per_day is not None:
        n_left = max(key.pictures_per_day - n_answered_today([key.pk], at=at).get(key.pk, 0), 0)
    return Grant(
        grant_id=key.pk,
        kind="key",
        organization_id=key.organization_id,
        scopes=tuple(key.scopes),
        pictures_per_s=key.pictures_per_s,
        burst=key.burst,
        n_left_today=n_left,
        expires_s=GRANT_S,
    )


def _of_token(token: str, *, at: datetime) -> Grant | None:
    try:
        bearer = read_token(token, at=at)
    except BadToken:
        return None
    if not _is_known(bearer):
        return None
    kind: Literal["agent", "hub"] = "agent" if bearer.kind == "agent" else "hub"
    per_s = settings.TIER_AGENT_PICTURES_PER_S if kind == "agent" else _USER_PICTURES_PER_S
    return Grant(
        grant_id=bearer.id,
        kind=kind,
        organization_id=bearer.organization_id,
        scopes=ALL_SCOPES,
        pictures_per_s=per_s,
        burst=max(1, round(per_s * _AGENT_BURST_S)) if kind == "agent" else _USER_BURST,
        expires_s=min(GRANT_S, max((bearer.expires_at - at).total_seconds(), 0.001)),
    )


def _is_known(bearer: Bearer) -> bool:
    """Return whether whom a token was given to may still come."""
    if bearer.kind == "agent":
        mine = Agent.objects.filter(pk=bearer.id, organization=bearer.organization_id)
        return mine.filter(is_revoked=False).exists()
    user = User.objects.filter(pk=bearer.id, is_active=True).first()
    if user is None:
        return False
    membership = Membership.objects.filter(user=user, organization=bearer.organization_id)
    return user.is_superuser or membership.exists()
