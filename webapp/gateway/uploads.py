"""The right to send one clip: a path with a signature, for one agent, one clip and a while.

It needs no cookie and no question to the database, so it is checked before a byte of the body is
taken: whoever does not hold one is held to the limits of everybody.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.core.signing import BadSignature, TimestampSigner

from processing.wire.limits import MAX_CLIP_BYTES
from webapp.common.request_limits import Larger

PREFIX: Final = "/agent/clips/"
VALID_FOR: Final = timedelta(minutes=15)
"""A clip that is waited for is told anew long before, with a fresh path."""

_HEX: Final = 32
_signer = TimestampSigner(sep=".", salt="webapp.gateway.uploads")


class BadUpload(Exception):
    """This is no path that the hub gave out, or not any more."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What a path is good for."""

    agent_id: UUID
    clip_id: UUID


def upload_path(agent_id: UUID, clip_id: UUID) -> str:
    """Return where an agent may PUT a clip, from now on and for `VALID_FOR`."""
    return f"{PREFIX}{_signer.sign(agent_id.hex + clip_id.hex)}"


def read_token(token: str) -> Upload:
    """Return what the last part of a path is good for; raise `BadUpload`."""
    try:
        signed = _signer.unsign(token, max_age=VALID_FOR)
    except BadSignature as error:
        raise BadUpload(str(error)) from error
    return Upload(UUID(signed[:_HEX]), UUID(signed[_HEX:]))


def is_admitted(path: str) -> bool:
    """Return whether a clip may be sent to this path."""
    try:
        read_token(path.removeprefix(PREFIX))
    except BadUpload:
        return False
    return True


CLIPS: Final = Larger(
    prefix=PREFIX,
    most_bytes=MAX_CLIP_BYTES,
    timeout_s=VALID_FOR.total_seconds(),
    admits=is_admitted,
    n_at_once=2,
)
