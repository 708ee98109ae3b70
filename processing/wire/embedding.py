"""Embeddings as they travel: float16 values, little-endian, one after another."""

import struct
from math import isfinite
from typing import Final

from processing.wire.limits import MAX_EMBEDDING_BYTES

_VALUE_BYTES: Final = 2


def is_embedding(data: bytes) -> bool:
    """Return whether these are numbers, and no more than may be; nothing is an empty one."""
    if len(data) > MAX_EMBEDDING_BYTES or len(data) % _VALUE_BYTES:
        return False
    return all(map(isfinite, struct.unpack(f"<{len(data) // _VALUE_BYTES}e", data)))
