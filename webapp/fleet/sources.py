"""Where a camera's picture may come from. The agent opens it, the hub never does."""

import re
from typing import Final
from urllib.parse import urlsplit

SCHEMES: Final = ("rtsp", "rtsps", "http", "https")
_USB = re.compile(r"usb:\d{1,3}")
_FILE = re.compile(r"file:(?!\.{1,2}$)[^/\\:|\x00-\x1f\x7f]+")
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")


class BadSource(ValueError):
    """This is no camera source; the text says what is allowed."""


def check_source(source: str) -> None:
    """Raise `BadSource` unless `source` is a stream's address, `usb:N` or `file:NAME`."""
    if _USB.fullmatch(source) or _FILE.fullmatch(source):
        return
    try:
        parts = urlsplit(source)
        is_stream = parts.scheme in SCHEMES and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError as error:
        raise BadSource(f"not an address: {error}") from error
    if not is_stream or _UNSAFE.search(source):
        raise BadSource(
            "a source is rtsp://…, rtsps://…, http(s)://…, usb:N, or file:NAME without a folder"
        )
