"""Short-lived rights to have pictures judged: signed, so that nothing of them is stored.

The tier asks the hub what a token is good for (`webapp.inference.grants`); an API key is for
programs and lasts, these are for our own agents and pages.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from django.core.signing import BadSignature, Signer

from webapp.accounts.models import Organization, User
from webapp.fleet.models import Agent

AGENT_TOKEN_S: Final = 900.0
USER_TOKEN_S: Final = 60.0
TOKEN_PREFIX: Final = "fwt_"  # noqa: S105 - how they begin; no secret

_signer = Signer(sep=".", salt="webapp.inference.tokens")


class BadToken(Exception):
    """This is no token that the hub gave out, or not any more."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token stands for."""

    kind: Literal["agent", "user"]
    id: UUID
    organization_id: UUID
    expires_at: datetime


def agent_token(agent: Agent, *, at: datetime, expires_s: float = AGENT_TOKEN_S) -> str:
    """Return what an agent shows to the tier, from now on and for `expires_s`."""
    return _token("agent", agent.pk, agent.organization_id, at.timestamp() + expires_s)


def user_token(
    user: User, organization: Organization, *, at: datetime, expires_s: float = USER_TOKEN_S
) -> str:
    """Return what the hub shows to the tier when it has a picture judged for a person."""
    return _token("user", user.pk, organization.pk, at.timestamp() + expires_s)


def read_token(token: str, *, at: datetime) -> Bearer:
    """Return whom a token stands for; raise `BadToken`."""
    try:
        kind, key, organization, until_s = _signer.unsign_object(token.removeprefix(TOKEN_PREFIX))
    except (BadSignature, ValueError, TypeError) as error:
        raise BadToken("this was not signed here") from error
    expires_at = datetime.fromtimestamp(until_s, at.tzinfo)
    if expires_at <= at:
        raise BadToken("it has lapsed")
    return Bearer(kind, UUID(key), UUID(organization), expires_at)


def _token(kind: str, key: UUID, organization: UUID, until_s: float) -> str:
    signed = _signer.sign_object([kind, key.hex, organization.hex, int(until_s)])
    return f"{TOKEN_PREFIX}{signed}"
