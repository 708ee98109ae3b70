"""Messages to bytes and back, in msgpack (`farwatch.v1`) or JSON (`farwatch.v1+json`, to debug)."""

from typing import Final, Generic, Protocol, TypeVar

import msgspec

from processing.wire.limits import MAX_MESSAGE_BYTES
from processing.wire.messages import AgentMessage, HubMessage

SUBPROTOCOL: Final = "farwatch.v1"
SUBPROTOCOL_JSON: Final = "farwatch.v1+json"
SUBPROTOCOLS: Final = (SUBPROTOCOL, SUBPROTOCOL_JSON)

T_co = TypeVar("T_co", covariant=True)


class Malformed(ValueError):
    """The bytes are no message of this union; the text names the field."""


class _Encoder(Protocol):
    def encode(self, obj: object, /) -> bytes: ...


class _Decoder(Protocol[T_co]):
    def decode(self, buf: bytes, /) -> T_co: ...


class Codec(Generic[T_co]):
    """Encodes one direction's messages and decodes the other's."""

    def __init__(self, encoder: _Encoder, decoder: _Decoder[T_co], *, is_text: bool) -> None:
        self._encoder = encoder
        self._decoder = decoder
        self.is_text = is_text
        """Whether frames are text (JSON) rather than binary."""

    def encode(self, message: msgspec.Struct) -> bytes:
        return self._encoder.encode(message)

    def decode(self, data: bytes) -> T_co:
        """Return the message; raise `Malformed` with the reason in words."""
        if len(data) > MAX_MESSAGE_BYTES:
            raise Malformed(f"{len(data)} bytes; at most {MAX_MESSAGE_BYTES} are allowed")
        try:
            return self._decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed(str(error)) from error


def hub_codec(subprotocol: str) -> Codec[AgentMessage]:
    """Return what the hub speaks: decodes agents' messages, encodes its own."""
    if subprotocol == SUBPROTOCOL_JSON:
        return Codec(msgspec.json.Encoder(), msgspec.json.Decoder(AgentMessage), is_text=True)
    return Codec(_msgpack_encoder(), msgspec.msgpack.Decoder(AgentMessage), is_text=False)


def agent_codec(subprotocol: str) -> Codec[HubMessage]:
    """Return what the agent speaks: decodes the hub's messages, encodes its own."""
    if subprotocol == SUBPROTOCOL_JSON:
        return Codec(msgspec.json.Encoder(), msgspec.json.Decoder(HubMessage), is_text=True)
    return Codec(_msgpack_encoder(), msgspec.msgpack.Decoder(HubMessage), is_text=False)


def _msgpack_encoder() -> msgspec.msgpack.Encoder:
    return msgspec.msgpack.Encoder(uuid_format="bytes")
