"""Reading JSON that strangers send: bounded in size and depth, strict in form."""

from collections.abc import Mapping
from typing import IO, Any, Final

import msgspec
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from webapp.common.problems import too_large

MAX_JSON_BYTES: Final = 1024 * 1024


class BoundedJson(BaseParser):
    """`application/json` of at most `max_bytes`."""

    media_type = "application/json"
    max_bytes = MAX_JSON_BYTES

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - the signature is DRF's
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - the signature is DRF's
    ) -> Any:
        """Return what the body says; raise a 413 or 400 problem."""
        return decode_json(read_body(stream, self.max_bytes))


def read_body(stream: IO[Any], max_bytes: int) -> bytes:
    """Return the whole body; raise a 413 problem when it is longer than `max_bytes`."""
    body = bytes(stream.read(max_bytes + 1))
    if len(body) > max_bytes:
        raise too_large(max_bytes)
    return body


def decode_json(body: bytes) -> object:
    """Return what the bytes say; raise a 400 problem that names the place."""
    try:
        decoded: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError) as error:
        raise ParseError(f"The body is not JSON: {error}") from error
    return decoded
