"""Primary keys: UUID version 7 (RFC 9562), so that rows made later sort later."""

import secrets
import time
import uuid

_NS_IN_MS = 1_000_000
_FRACTION_BITS = 12
_RANDOM_BITS = 62


def uuid7() -> uuid.UUID:
    """Return a new UUIDv7: 48 bits of unix milliseconds, 12 of their fraction, 62 random bits.

    By the fraction (RFC 9562, 6.2, method 3) also those of one millisecond are in their order.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), _NS_IN_MS)
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76 | ((nanoseconds << _FRACTION_BITS) // _NS_IN_MS) << 64
    value |= 0b10 << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return uuid.UUID(int=value)
