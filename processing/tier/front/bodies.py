"""Takes in a request's body: not too large, not too slow, and not too many at once."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from starlette.requests import Request

BODY_TIMEOUT_S: Final = 30.0
_WINDOWS: Final[Mapping[str, int]] = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}


class TooLarge(Exception):
    """The body, or what it unpacks to, is larger than is taken here."""


class TooSlow(Exception):
    """The body did not come in time."""


class TooMany(Exception):
    """Bodies of others fill what there is for them."""


class BadEncoding(Exception):
    """The body is packed in a way that is not known here."""


class BadBody(Exception):
    """The body is not packed as its header says."""


class Bodies:
    """Holds bodies while they are of use; all together at most `most_bytes`."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self.n_bytes = 0
        """Of all that are held now."""

    @asynccontextmanager
    async def reading(self, request: Request, most_bytes: int) -> AsyncIterator[bytes]:
        """Yield the body, unpacked; it counts as held inside the block.

        Raise `TooLarge`, `TooSlow`, `TooMany`, `BadEncoding`, `BadBody`, or Starlette's
        `ClientDisconnect`.
        """
        window = _window(request)
        if _said_length(request) > most_bytes:
            raise TooLarge(f"at most {most_bytes} bytes are taken here")
        if self.n_bytes + _said_length(request) > self._most:
            raise TooMany("too many pictures are being taken in")
        held = _Held(self)
        try:
            body = await self._read(request, most_bytes, held)
            if window is not None:
                body = await asyncio.to_thread(_unpacked, body, window, most_bytes)
                held.hold(len(body))
            yield body
        finally:
            held.release()

    @contextmanager
    def holding(self, n_bytes: int) -> Iterator[None]:
        """Count what came by another way as held inside the block; raise `TooMany`."""
        if self.n_bytes + n_bytes > self._most:
            raise TooMany("too many pictures are being taken in")
        self.n_bytes += n_bytes
        try:
            yield
        finally:
            self.n_bytes -= n_bytes

    async def _read(self, request: Request, most_bytes: int, held: "_Held") -> bytes:
        chunks: list[bytes] = []
        n_bytes = 0
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                async for chunk in request.stream():
                    n_bytes += len(chunk)
                    if n_bytes > most_bytes:
                        raise TooLarge(f"at most {most_bytes} bytes are taken here")
                    if self.n_bytes + len(chunk) > self._most:
                        raise TooMany("too many pictures are being taken in")
                    held.hold(len(chunk))
                    chunks.append(chunk)
        except TimeoutError as error:
            raise TooSlow(f"the body did not come whole within {BODY_TIMEOUT_S:.0f} s") from error
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class _Held:
    """How much one request holds."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._n_bytes = 0

    def hold(self, n_bytes: int) -> None:
        self._n_bytes += n_bytes
        self._bodies.n_bytes += n_bytes

    def release(self) -> None:
        self._bodies.n_bytes -= self._n_bytes
        self._n_bytes = 0


def _said_length(request: Request) -> int:
    """Return what the request says of its body's size; 0 for nothing, or nonsense."""
    said = request.headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 20 else 0  # noqa: PLR2004  # of any size that is


def _window(request: Request) -> int | None:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        return None
    if encoding not in _WINDOWS:
        raise BadEncoding("Content-Encoding may be gzip or deflate")
    return _WINDOWS[encoding]


def _unpacked(body: bytes, window: int, most_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(window)
    try:
        content = unpacker.decompress(body, most_bytes + 1)
    except zlib.error as error:
        raise BadBody(f"the body is not packed as Content-Encoding says: {error}") from error
    if len(content) > most_bytes:
        raise TooLarge(f"at most {most_bytes} bytes are taken here, once unpacked")
    if not unpacker.eof:
        raise BadBody("the packed body is cut short")
    return content
