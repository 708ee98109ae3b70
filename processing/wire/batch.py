"""What a batch is made of, as files of the store: the pictures of a shard, and what came of them.

MessagePack, one file a shard: a picture's outcome takes some 30 bytes and 16 a box, where a row of
a database takes ten times that, and its index as much again for every picture that is judged.
"""

from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from processing.wire.fields import Digest, Packed, Text

MAX_SHARD_PICTURES: Final = 256
MAX_PLACE: Final = 1024
MAX_SIDE: Final = 65_535
_MAX_BYTES: Final = 8 * 1024 * 1024

T = TypeVar("T")
Place = Annotated[str, Meta(min_length=1, max_length=MAX_PLACE)]
Side = Annotated[int, Meta(ge=0, le=MAX_SIDE)]


class BadShard(ValueError):
    """The bytes are not a shard's; the text says why."""


class BatchItem(Struct, frozen=True, array_like=True):
    """One picture of a batch, as the list had it when the batch began."""

    name: Place
    """What people call it: its path in the archive or folder, or who took it and when."""
    place: Place
    """Where its bytes are, in the words of the batch's source."""
    size: Annotated[int, Meta(ge=0)]
    """In bytes, where they are as they were."""


class PictureOutcome(Struct, frozen=True, array_like=True):
    """What came of one picture: boxes, or why it could not be judged."""

    width: Side = 0
    height: Side = 0
    """In pixels, as stored: a rotation in its EXIF is not applied."""
    found: Packed = b""
    """See `processing.wire.packed`; normalised."""
    error: Text = ""
    """In words, for who asked; empty where it was judged."""


class ShardItems(Struct, frozen=True, array_like=True):
    """The pictures of a shard, in order."""

    items: Annotated[tuple[BatchItem, ...], Meta(max_length=MAX_SHARD_PICTURES)]


class ShardOutcomes(Struct, frozen=True, array_like=True):
    """What a bundle said of the pictures of a shard, in their order."""

    bundle: Digest
    outcomes: Annotated[tuple[PictureOutcome, ...], Meta(max_length=MAX_SHARD_PICTURES)]


_encoder = msgspec.msgpack.Encoder()
_items = msgspec.msgpack.Decoder(ShardItems)
_outcomes = msgspec.msgpack.Decoder(ShardOutcomes)


def encode_shard(shard: ShardItems | ShardOutcomes) -> bytes:
    """Return the file."""
    return _encoder.encode(shard)


def decode_items(content: bytes) -> tuple[BatchItem, ...]:
    """Return the pictures of a shard; raise `BadShard`."""
    return _decoded(content, _items).items


def decode_outcomes(content: bytes) -> ShardOutcomes:
    """Return what came of a shard; raise `BadShard`."""
    return _decoded(content, _outcomes)


def _decoded(content: bytes, decoder: msgspec.msgpack.Decoder[T]) -> T:
    if len(content) > _MAX_BYTES:
        raise BadShard(f"{len(content)} bytes; at most {_MAX_BYTES} are read")
    try:
        return decoder.decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadShard(f"not a shard: {error}") from error
