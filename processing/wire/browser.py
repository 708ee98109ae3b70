"""Every message from hub to browser: text frames are JSON, binary ones are seen live.

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


class VideoHeader(BrowserMessage, frozen=True, tag="video"):
    """What precedes the bytes of a fragment of live video (see `video_frame`)."""

    captured_at: datetime
    number: int
    at_s: float
    width: int
    height: int
    codec: str
    n_init: int
    """Bytes of what a player must know first; 0 unless it can begin here."""


class BoxesHeader(BrowserMessage, frozen=True, tag="boxes"):
    """What precedes the detections in a picture of live video (see `boxes_frame`)."""

    captured_at: datetime
    bundle: str
    n_detections: int


HubToBrowser = Counters | Changed | PictureHeader | VideoHeader | BoxesHeader

_encoder = msgspec.json.Encoder()


def encode(message: HubToBrowser) -> str:
    """Return the text frame of `message`."""
    return _encoder.encode(message).decode()


def picture_frame(header: PictureHeader, detections: bytes, jpeg: bytes) -> bytes:
    """Return the binary frame of one live picture.

    Layout: u32 little-endian length of the header, the header as JSON, 16 bytes a detection as in
    `processing.wire.packed`, then the JPEG.
    """
    return _binary(header, detections, jpeg)


def video_frame(header: VideoHeader, init: bytes, fragment: bytes) -> bytes:
    """Return the binary frame of one fragment: head as in `picture_frame`, init, fragment."""
    return _binary(header, init, fragment)


def boxes_frame(header: BoxesHeader, detections: bytes) -> bytes:
    """Return the binary frame of detections: head as in `picture_frame`, 16 bytes a detection."""
    return _binary(header, detections)


def _binary(header: HubToBrowser, *parts: bytes) -> bytes:
    head = _encoder.encode(header)
    return b"".join((len(head).to_bytes(4, "little"), head, *parts))
