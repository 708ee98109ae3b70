"""How an agent proves who it is: what it signs, and what enrolment carries over HTTP (JSON)."""

from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from processing.wire.fields import Name

_CONTEXT: Final = b"farwatch-auth-v1"
_ENROLL_CONTEXT: Final = b"farwatch-enroll-v1"

Key = Annotated[bytes, Meta(min_length=32, max_length=32)]
Signature = Annotated[bytes, Meta(min_length=64, max_length=64)]


def challenge_bytes(*, hub_id: UUID, nonce: bytes, agent_id: UUID, epoch: int) -> bytes:
    """Return what `Hello.signature` signs: bound to this hub, this nonce and this outbox."""
    return b"".join((_CONTEXT, hub_id.bytes, nonce, agent_id.bytes, epoch.to_bytes(8, "big")))


def enroll_bytes(*, token: str, public_key: bytes) -> bytes:
    """Return what `EnrollRequest.signature` signs: proof of holding the private key."""
    return b"".join((_ENROLL_CONTEXT, public_key, token.encode()))


class EnrollRequest(Struct, frozen=True, kw_only=True):
    """A one-time join token for a public key."""

    token: Annotated[str, Meta(min_length=8, max_length=200)]
    public_key: Key
    signature: Signature
    name: Name
    software: Name


class EnrollResponse(Struct, frozen=True, kw_only=True):
    """Who the agent now is, and which hub it belongs to."""

    agent_id: UUID
    hub_id: UUID
    organization: str
    site: str


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error body, `application/problem+json` (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: dict[str, list[str]] = {}
    instance: str = ""
    """Names this one refusal, as the hub's log does."""
