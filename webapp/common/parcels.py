"""What the hub's web processes say to each other through Redis, and on which channels.

Redis is inside the hub, as its database is: whoever may write to it may show browsers anything.
"""

import hashlib
from typing import Final
from uuid import UUID

import msgspec

from webapp.common.broadcast import Payload, Topic


class Listening(msgspec.Struct, array_like=True, frozen=True):
    """A process says what it listens to."""

    process: bytes
    joined: tuple[Topic, ...] = ()
    left: tuple[Topic, ...] = ()
    is_all: bool = False
    """`joined` is all that it listens to, not what it does besides."""
    asks: bool = False
    """It has just come and knows of nobody: the others are to say what they listen to."""


class Parcel(msgspec.Struct, array_like=True, frozen=True):
    """A payload on its way to those who listen to the channel's topic."""

    process: bytes
    key: str
    data: bytes
    is_text: bool

    @property
    def payload(self) -> Payload:
        return self.data.decode() if self.is_text else self.data


read_listening: Final = msgspec.msgpack.Decoder(Listening).decode
read_parcel: Final = msgspec.msgpack.Decoder(Parcel).decode
write: Final = msgspec.msgpack.Encoder().encode


def pack(process: bytes, key: str, payload: Payload) -> bytes:
    """Return a parcel's bytes."""
    is_text = isinstance(payload, str)
    data = payload.encode() if isinstance(payload, str) else payload
    return write(Parcel(process, key, data, is_text))


class Channels:
    """Names of channels; hubs that share a Redis have different secrets, so they never meet."""

    def __init__(self, secret: str) -> None:
        digest = hashlib.blake2s(secret.encode(), person=b"channels", digest_size=12).hexdigest()
        self.name = f"farwatch-{digest}"
        """Of the hub's connections."""
        self._prefix = f"farwatch:{digest}:".encode()
        self.audience = self._prefix + b"audience"
        """Where processes say what they listen to."""

    def of(self, topic: Topic) -> bytes:
        kind, topic_id = topic
        return self._prefix + f"{kind}:{topic_id.hex}".encode()

    def topic(self, channel: bytes) -> Topic:
        """Return the topic of a channel that `of` has named."""
        kind, _, topic_id = channel.removeprefix(self._prefix).decode().partition(":")
        return kind, UUID(topic_id)
