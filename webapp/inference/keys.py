"""API keys: made, shown once, called off."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from processing.wire.tier import Scope
from webapp.accounts.models import Organization, User
from webapp.inference.models import ApiKey

KEY_PREFIX: Final = "fw_"
MAX_KEYS: Final = 100
"""Of an organization, that are not revoked."""
MAX_PICTURES_PER_S: Final = 10_000.0
MAX_BURST: Final = 100_000
MAX_PICTURES_PER_DAY: Final = 1_000_000_000
ALL_SCOPES: Final[tuple[Scope, ...]] = ("detect", "models")
_SECRET_BYTES: Final = 32
_SHOWN: Final = 9


class TooManyKeys(Exception):
    """An organization has as many as it may."""

    def __str__(self) -> str:
        return f"An organization has at most {MAX_KEYS}: revoke one that is not used any more."


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What a key is good for."""

    name: str
    scopes: tuple[Scope, ...] = ALL_SCOPES
    pictures_per_s: float = 10.0
    burst: int = 20
    pictures_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key with its secret, which nobody can look up later."""

    key: ApiKey
    secret: str


@transaction.atomic
def create_key(organization: Organization, terms: KeyTerms, *, by: User, at: datetime) -> NewKey:
    """Make a key for a program of an organization; raise `TooManyKeys`."""
    Organization.objects.select_for_update().get(pk=organization.pk)  # counted one by one
    if ApiKey.objects.filter(organization=organization, revoked_at=None).count() >= MAX_KEYS:
        raise TooManyKeys
    secret = f"{KEY_PREFIX}{secrets.token_urlsafe(_SECRET_BYTES)}"
    key = ApiKey.objects.create(
        organization=organization,
        name=terms.name,
        shown=secret[:_SHOWN],
        secret_hash=hash_of(secret),
        scopes=list(terms.scopes),
        pictures_per_s=terms.pictures_per_s,
        burst=terms.burst,
        pictures_per_day=terms.pictures_per_day,
        created_by=by,
        created_at=at,
    )
    return NewKey(key, secret)


def revoke_key(key: ApiKey, *, at: datetime) -> ApiKey:
    """Call a key off for good; tiers hear of it when they next ask, within half a minute."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at)
    key.refresh_from_db()
    return key


def hash_of(secret: str) -> str:
    """Return what is kept of a secret; it is random and long, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()
