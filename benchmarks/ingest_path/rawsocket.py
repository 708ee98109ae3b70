"""As little websocket client as there can be, so that the load costs the machine little."""

import asyncio
import base64
import os
import struct
from typing import Final

_TEXT: Final = 0x1
_BINARY: Final = 0x2
_CLOSE: Final = 0x8
_SHORT: Final = 126
"""Sizes from here on have a field of their own: two bytes, or eight."""
_NO_MASK: Final = bytes(4)
"""A mask of zeros is a mask: the payload goes as it is."""


class Hangup(Exception):
    """The server ended the connection; the text is what it said last."""


class RawSocket:
    """One websocket; payloads up to 64 KiB come back, of any size go out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, path: str, subprotocol: str | None) -> "RawSocket":
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        key = base64.b64encode(os.urandom(16)).decode()
        head = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        ]
        if subprotocol:
            head.append(f"Sec-WebSocket-Protocol: {subprotocol}")
        writer.write("\r\n".join([*head, "", ""]).encode())
        try:
            answer = await reader.readuntil(b"\r\n\r\n")
        except asyncio.CancelledError:  # whoever loses patience hangs up
            writer.close()
            raise
        if not answer.startswith(b"HTTP/1.1 101"):
            writer.close()
            raise Hangup(answer.partition(b"\r\n")[0].decode())
        return cls(reader, writer)

    def send(self, frame: bytes) -> None:
        """Send what `frame_of` made."""
        self._writer.write(frame)

    async def drain(self) -> None:
        await self._writer.drain()

    async def receive(self) -> bytes:
        """Return the next payload."""
        while True:
            first, size = await self._reader.readexactly(2)
            if size == _SHORT:
                (size,) = struct.unpack(">H", await self._reader.readexactly(2))
            payload = await self._reader.readexactly(size)
            opcode = first & 0x0F
            if opcode in {_TEXT, _BINARY}:
                return payload
            if opcode == _CLOSE:
                raise Hangup(payload.decode("latin-1"))

    def close(self) -> None:
        self._writer.close()


def frame_of(payload: bytes, *, is_text: bool = False) -> bytes:
    """Return the bytes that carry `payload` to a server."""
    size = len(payload)
    first = bytes([0x80 | (_TEXT if is_text else _BINARY)])
    if size < _SHORT:
        head = bytes([0x80 | size])
    elif size < 2**16:
        head = bytes([0x80 | _SHORT]) + struct.pack(">H", size)
    else:
        head = bytes([0x80 | (_SHORT + 1)]) + struct.pack(">Q", size)
    return first + head + _NO_MASK + payload
