"""Every message from hub to browser: text frames are JSON, binary frames are live pictures.

A push says *what changed*, never how it looks: the page fetches fragments through views that
check permissions. A browser says nothing but which camera it looks at, in the URL it opens.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

Topic = Literal["agents", "cameras", "events", "review", "jobs"]


class BrowserMessage(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of the hub -> browser union."""


class Counters(BrowserMessage, frozen=True, tag="counters"):
    """How much arrives right now, at most twice a second."""

    at: datetime
    results_per_s: float
    n_results: int
    """Results stored since the hub started, of this organization."""
    n_agents_online: int
    n_cameras_online: int


class Changed(BrowserMessage, frozen=True, tag="changed"):
    """Something on the page is out of date; elements that listen for `topic` fetch anew."""

    topic: Topic


class PictureHeader(BrowserMessage, frozen=True, tag="picture"):
    """What precedes the bytes of a live picture (see `picture_frame`)."""

    camera_id: UUID
    captured_at: datetime
    width: int
    height: int
    bundle: str
    """Hex digest; the page knows its labels."""
    n_detections: int


HubToBrowser = Counters | Changed | PictureHeader

_encoder = msgspec.json.Encoder()


def encode(message: HubToBrowser) -> str:
    """Return the text frame of `message`."""
    return _encoder.encode(message).decode()


def picture_frame(header: PictureHeader, detections: bytes, jpeg: bytes) -> bytes:
    """Return the binary frame of one live picture.

    Layout: u32 little-endian length of the header, the header as JSON, 16 bytes a detection as in
    `processing.wire.packed`, then the JPEG.
    """
    head = _encoder.encode(header)
    return b"".join((len(head).to_bytes(4, "little"), head, detections, jpeg))
