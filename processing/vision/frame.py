"""One decoded picture as the three planes that the decoder gives."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[np.uint8]
"""(height, width) uint8; rows may be padded (strided), columns are contiguous."""


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """I420, limited range BT.601: luma at full size, chroma at half, rounded up."""

    y: Plane
    """(H, W), 16..235."""
    u: Plane
    """(ceil(H/2), ceil(W/2)), 16..240."""
    v: Plane
    """As `u`."""

    def __post_init__(self) -> None:
        height, width = self.y.shape
        chroma = ((height + 1) // 2, (width + 1) // 2)
        if self.u.shape != chroma or self.v.shape != chroma:
            message = f"chroma planes {self.u.shape}, {self.v.shape} do not fit luma {self.y.shape}"
            raise ValueError(message)

    @property
    def height(self) -> int:
        return int(self.y.shape[0])

    @property
    def width(self) -> int:
        return int(self.y.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Frame(Planes):
    """A picture and the instant it was taken. Whoever writes to its planes copies them first."""

    captured_at: datetime
    """Aware UTC; fixed at capture, never changed afterwards."""

    @classmethod
    def of(cls, planes: Planes, *, captured_at: datetime) -> "Frame":
        """Return the frame of these planes; nothing is copied."""
        return cls(y=planes.y, u=planes.u, v=planes.v, captured_at=captured_at)
