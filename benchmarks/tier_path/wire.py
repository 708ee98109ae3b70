"""Requests as they go over the wire, made before the clock runs, and what is read of answers."""

import base64
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.tier_path.spec import Dialect, Load

_HEAD_ENDS: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length:"
_CHUNKED: Final = b"\r\ntransfer-encoding: chunked"
_LAST_CHUNK: Final = b"0\r\n\r\n"
_CLOSES: Final = b"\r\nconnection: close"


def requests(load: Load) -> list[bytes]:
    """Return one whole request a picture."""
    paths = sorted(Path(load.pictures).glob("*.jpg"))
    return [_request(load, path.read_bytes()) for path in paths]


def _request(load: Load, picture: bytes) -> bytes:
    body, kind = _body(load.dialect, picture)
    lines = (
        f"POST {load.path} HTTP/1.1",
        f"Host: 127.0.0.1:{load.port}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(lines).encode() + _HEAD_ENDS + body


def _body(dialect: Dialect, picture: bytes) -> tuple[bytes, str]:
    if dialect != "v2":
        return picture, "image/jpeg"
    tensor = {
        "name": "image",
        "shape": [1],
        "datatype": "BYTES",
        "parameters": {"content_type": "base64"},
        "data": [base64.b64encode(picture).decode()],
    }
    return msgspec.json.encode({"inputs": [tensor]}), "application/json"


class Answered:
    """Reads one answer after another from what a connection brings."""

    def __init__(self) -> None:
        self._held = b""
        self.status = 0
        self.is_last = False
        """The server will close this connection."""

    def take(self, data: bytes) -> bool:
        """Return whether the answer is whole; then `status` is its own, and the next may begin."""
        self._held = self._held + data if self._held else data
        end = self._held.find(_HEAD_ENDS)
        if end < 0:
            return False
        head = self._held[:end].lower()
        if _CHUNKED in head:
            is_whole = self._held.endswith(_LAST_CHUNK)
        else:
            is_whole = len(self._held) >= end + len(_HEAD_ENDS) + _length(head)
        if is_whole:
            self.status = int(head[9:12])
            self.is_last = _CLOSES in head
            self._held = b""
        return is_whole


def _length(head: bytes) -> int:
    begin = head.find(_LENGTH)
    if begin < 0:
        return 0
    begin += len(_LENGTH)
    end = head.find(b"\r\n", begin)
    return int(head[begin : end if end > 0 else len(head)])
