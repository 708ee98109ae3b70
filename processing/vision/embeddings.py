"""How alike two pictures are to a network, by what its backbone makes of each."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def distance_to_nearest(embedding: bytes, others: Sequence[bytes]) -> float:
    """Return the cosine distance to the nearest of `others`: 0 alike, 1 as far as can be.

    All are of one network: float16, little-endian, of the same length. One of zeros says nothing,
    and is far from all.
    """
    known = _directions(b"".join(others)).reshape(len(others), -1) if others else None
    if known is None or not known.size:
        return 1.0
    known = known / _lengths(known)
    wanted = _directions(embedding)[None]
    nearest = float((known @ (wanted / _lengths(wanted))[0]).max())
    return min(max(1.0 - nearest, 0.0), 1.0)


def _directions(data: bytes) -> NDArray[np.float32]:
    return np.frombuffer(data, "<f2").astype(np.float32)


def _lengths(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.maximum(lengths, np.float32(1e-12))
