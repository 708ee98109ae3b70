"""Primary keys: UUID version 7 (RFC 9562), so that rows made later sort later."""

import secrets
import time
import uuid

_RANDOM_BITS = 74
_RAND_B_BITS = 62


def uuid7() -> uuid.UUID:
    """Return a new UUIDv7: 48 bits of unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = secrets.randbits(_RANDOM_BITS)
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76 | (random_bits >> _RAND_B_BITS) << 64
    value |= 0b10 << _RAND_B_BITS | (random_bits & (2**_RAND_B_BITS - 1))
    return uuid.UUID(int=value)
