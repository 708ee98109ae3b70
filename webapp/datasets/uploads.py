"""The right to send files to import: a path with a signature, for one person and a while.

It needs no question to the database, so it is checked before a byte of the body is taken: whoever
does not hold one is held to the limits of everybody. Who sends it must be logged in as well.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.core.signing import BadSignature, TimestampSigner
from msgspec import Struct

from webapp.common.request_limits import Larger

PREFIX: Final = "/uploads/imports/"
MAX_BYTES: Final = 1024**3
VALID_FOR: Final = timedelta(hours=1)

_signer = TimestampSigner(sep=".", salt="webapp.datasets.uploads")


class Upload(Struct, frozen=True):
    """What a path is good for."""

    organization_id: UUID
    user_id: UUID
    name: str
    """What its sender calls the file."""


class BadUpload(Exception):
    """This is no path that the hub gave out, or not any more."""


def upload_path(upload: Upload) -> str:
    """Return where a person may POST files, from now on and for `VALID_FOR`."""
    return f"{PREFIX}{_signer.sign(msgspec.json.encode(upload).hex())}"


def read_token(token: str) -> Upload:
    """Return what the last part of a path is good for; raise `BadUpload`."""
    try:
        signed = _signer.unsign(token, max_age=VALID_FOR)
    except BadSignature as error:
        raise BadUpload(str(error)) from error
    return msgspec.json.decode(bytes.fromhex(signed), type=Upload)


def is_admitted(path: str) -> bool:
    """Return whether a file may be sent to this path."""
    try:
        read_token(path.removeprefix(PREFIX))
    except BadUpload:
        return False
    return True


IMPORTS: Final = Larger(
    prefix=PREFIX,
    most_bytes=MAX_BYTES,
    timeout_s=VALID_FOR.total_seconds(),
    admits=is_admitted,
)
