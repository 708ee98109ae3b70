"""The kinds of values that messages are made of, each with its limits."""

from datetime import datetime
from typing import Annotated, TypeAlias

from msgspec import Meta

from processing.wire import limits

Instant = Annotated[datetime, Meta(tz=True)]
Name = Annotated[str, Meta(min_length=1, max_length=limits.MAX_NAME)]
Text = Annotated[str, Meta(max_length=limits.MAX_TEXT)]
Seq = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Epoch = Annotated[int, Meta(ge=1, lt=2**53)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Score = Annotated[float, Meta(ge=0.0, le=1.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
"""Of the width or the height of a picture."""
Seconds = Annotated[float, Meta(ge=0.0, le=86_400.0)]
Labels = Annotated[tuple[Name, ...], Meta(max_length=limits.MAX_LABELS)]
Digest = Annotated[bytes, Meta(min_length=16, max_length=16)]
"""The first 16 bytes of the sha256 of a bundle's manifest."""
Packed = Annotated[bytes, Meta(max_length=16 * limits.MAX_DETECTIONS)]
Picture = Annotated[bytes, Meta(min_length=4, max_length=limits.MAX_PICTURE_BYTES)]
Codecs = Annotated[str, Meta(max_length=64, pattern=r"^((avc1|hvc1)\.[0-9A-Za-z.]+)?$")]
"""One codec with its profile and level, as in RFC 6381; or empty."""
Pixels = Annotated[int, Meta(ge=1, le=16384)]

Point: TypeAlias = tuple[Share, Share]
"""x from the left, y from the top."""
Polygon = Annotated[tuple[Point, ...], Meta(min_length=3, max_length=limits.MAX_POINTS)]
"""Its corners in order; the last is joined to the first."""
