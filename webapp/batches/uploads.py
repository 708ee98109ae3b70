"""The right to send a batch's pictures: a path with a signature, for one batch and a while.

It needs no question to the database, so it is checked before a byte of the body is taken. Who sends
must be logged in as well.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.core.signing import BadSignature, TimestampSigner

from webapp.common.request_limits import Larger

PREFIX: Final = "/uploads/batches/"
MAX_BYTES: Final = 1024**3
VALID_FOR: Final = timedelta(hours=1)
"""To begin with the file; it may take as long again."""

_signer = TimestampSigner(sep=".", salt="webapp.batches.uploads")


class BadUpload(Exception):
    """This is no path that the hub gave out, or not any more."""


def upload_path(batch_id: UUID) -> str:
    """Return where the batch's file may be POSTed to, beginning within `VALID_FOR`."""
    return f"{PREFIX}{_signer.sign(batch_id.hex)}"


def read_token(token: str, *, max_age: timedelta = VALID_FOR) -> UUID:
    """Return which batch the last part of a path is good for; raise `BadUpload`."""
    try:
        return UUID(_signer.unsign(token, max_age=max_age))
    except (BadSignature, ValueError) as error:
        raise BadUpload(str(error)) from error


def is_admitted(path: str) -> bool:
    """Return whether a file may be sent to this path."""
    try:
        read_token(path.removeprefix(PREFIX))
    except BadUpload:
        return False
    return True


PICTURES: Final = Larger(
    prefix=PREFIX,
    most_bytes=MAX_BYTES,
    timeout_s=VALID_FOR.total_seconds(),
    admits=is_admitted,
    n_at_once=2,
)
