"""Pictures decoded, changed and encoded again as H.264: what may be stored, or what browsers play.

It costs a hundred times what remuxing costs, so it is done at 15 pictures a second and at full HD
at the most.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import av
import numpy as np
from av.error import FFmpegError, InvalidDataError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from processing.media.clip_packets import ClipFailed, Coding, EncodedPicture
from processing.media.nal_units import sets_within
from processing.media.planes import planes_of
from processing.vision.frame import Frame

if TYPE_CHECKING:
    from av.stream import Stream

Change: TypeAlias = Callable[[Sequence[Frame]], Sequence[Frame]]
"""Given a few consecutive frames, returns as many of the same sizes."""

_ENCODERS: Final = ("libx264", "libopenh264")
_MOST_FPS: Final = 15
_TOO_SOON_S: Final = 0.75 / _MOST_FPS
_MOST_PIXELS: Final = 1920 * 1080
_TOGETHER: Final = 3
"""Frames that are changed at once."""
_BETWEEN_KEYS: Final = 2 * _MOST_FPS
_OPTIONS: Final = {
    "preset": "veryfast",
    "tune": "zerolatency",  # pictures come out in the order and at the time they go in
    "crf": "25",
    "maxrate": "6M",
    "bufsize": "12M",
}


class _Decoded(NamedTuple):
    """A frame, and what it was decoded from."""

    frame: Frame
    of: EncodedPicture


def unchanged(frames: Sequence[Frame]) -> Sequence[Frame]:
    """Return the frames: a `Change` that changes nothing."""
    return frames


class Reencoder:
    """For one thread. The first picture that it is given is a key picture."""

    def __init__(self, change: Change) -> None:
        self._change: Final = change
        self._coding: Coding | None = None
        self._decoder: VideoCodecContext | None = None
        self._encoder: VideoCodecContext | None = None
        self._given: dict[int, EncodedPicture] = {}
        """By number, what the decoder has been given and has not shown yet."""
        self._n_given = 0
        self._together: list[_Decoded] = []
        self._encoding: deque[EncodedPicture] = deque()
        self._n_encoded = 0
        self._made: Coding | None = None
        self._last: EncodedPicture | None = None

    def feed(self, picture: EncodedPicture) -> list[EncodedPicture]:
        """Take a picture; return those that are ready. Raise `ClipFailed`."""
        made: list[EncodedPicture] = []
        if picture.coding != self._coding:
            made = self.finish()
            self._decoder, self._coding = _decoder(picture.coding), picture.coding
        self._n_given += 1
        self._given[self._n_given] = picture
        # One of its own: decoders read beyond the end.
        packet: Packet[Stream] = Packet(len(picture.data))
        packet.update(picture.data)
        packet.pts = packet.dts = self._n_given
        return made + self._decode(packet)

    def finish(self) -> list[EncodedPicture]:
        """Return what is still on its way; then feed anew, with a key picture."""
        made = self._decode(None) + self._encode_together()
        if self._encoder is not None:
            made += self._encode(self._encoder, None)
        self._decoder = self._encoder = self._coding = self._last = None
        self._given.clear()
        self._encoding.clear()
        return made

    def _decode(self, packet: "Packet[Stream] | None") -> list[EncodedPicture]:
        if self._decoder is None:
            return []
        try:
            decoded = self._decoder.decode(packet)
        except InvalidDataError:
            return []
        except FFmpegError as error:
            raise ClipFailed(f"a picture cannot be decoded: {error}") from error
        made: list[EncodedPicture] = []
        for picture in decoded:
            of = self._given.pop(picture.pts or 0, None)
            self._forget_undecodable()
            if of is not None and self._is_wanted(of):
                self._last = of
                self._together.append(_Decoded(_frame(picture, of), of))
            if len(self._together) == _TOGETHER:
                made += self._encode_together()
        return made

    def _is_wanted(self, of: EncodedPicture) -> bool:
        last = self._last
        if last is None or last.stretch != of.stretch:
            return True
        return not -1.0 < of.time_s - last.time_s < _TOO_SOON_S

    def _forget_undecodable(self) -> None:
        """Forget what was given long ago and never shown."""
        while len(self._given) > 2 * _BETWEEN_KEYS:
            del self._given[next(iter(self._given))]

    def _encode_together(self) -> list[EncodedPicture]:
        together, self._together = self._together, []
        if not together:
            return []
        made: list[EncodedPicture] = []
        changed = self._change([decoded.frame for decoded in together])
        for frame, (_, of) in zip(changed, together, strict=True):
            if self._encoder is None:
                self._encoder = _encoder(frame, like=self._decoder)
            self._encoding.append(of)
            made += self._encode(self._encoder, _picture(frame, self._n_encoded))
            self._n_encoded += 1
        return made

    def _encode(
        self, encoder: VideoCodecContext, picture: VideoFrame | None
    ) -> list[EncodedPicture]:
        try:
            packets = encoder.encode(picture)
        except FFmpegError as error:
            raise ClipFailed(f"a picture cannot be encoded: {error}") from error
        made: list[EncodedPicture] = []
        for packet in packets:
            data, of = bytes(packet), self._encoding.popleft()
            if packet.is_keyframe:
                sets = sets_within("h264", data)
                self._made = Coding("h264", encoder.width, encoder.height, sets=sets)
            if self._made is not None:
                made.append(replace(of, coding=self._made, data=data, is_key=packet.is_keyframe))
        return made


def _decoder(coding: Coding) -> VideoCodecContext:
    try:
        decoder = av.CodecContext.create(coding.codec, "r")
    except (FFmpegError, ValueError) as error:
        raise ClipFailed(f"{coding.codec} cannot be decoded") from error
    if not isinstance(decoder, VideoCodecContext):
        raise ClipFailed(f"{coding.codec} is not video")
    if coding.extradata:
        decoder.extradata = coding.extradata
    decoder.width, decoder.height = coding.width, coding.height
    decoder.thread_count = 1
    return decoder


def _encoder(frame: Frame, *, like: VideoCodecContext | None) -> VideoCodecContext:
    for name in _ENCODERS:
        try:
            encoder = av.CodecContext.create(name, "w")
        except (FFmpegError, ValueError):
            continue
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height = frame.width, frame.height
        encoder.pix_fmt = "yuv420p"
        encoder.color_range = ColorRange.MPEG
        if like is not None:  # the planes are as they were, so their numbers mean what they meant
            encoder.colorspace = like.colorspace
            encoder.color_primaries = like.color_primaries
            encoder.color_trc = like.color_trc
        encoder.framerate = Fraction(_MOST_FPS)
        encoder.time_base = Fraction(1, _MOST_FPS)
        encoder.gop_size = _BETWEEN_KEYS
        encoder.thread_count = 1
        encoder.options = _OPTIONS if name == "libx264" else {}
        return encoder
    raise ClipFailed("this FFmpeg can encode no H.264")


def _frame(picture: VideoFrame, of: EncodedPicture) -> Frame:
    """Return the frame at the size that is encoded: both sides even, not too large."""
    ratio = min(1.0, (_MOST_PIXELS / (picture.width * picture.height)) ** 0.5)
    width, height = (max(2, int(side * ratio) // 2 * 2) for side in (picture.width, picture.height))
    if ratio < 1.0:
        picture = picture.reformat(width=width, height=height)
    planes = planes_of(picture)
    return Frame(
        planes.y[:height, :width],
        planes.u[: height // 2, : width // 2],
        planes.v[: height // 2, : width // 2],
        captured_at=of.at,
    )


def _picture(frame: Frame, number: int) -> VideoFrame:
    packed = np.concatenate([plane.reshape(-1) for plane in (frame.y, frame.u, frame.v)])
    picture = VideoFrame.from_ndarray(packed.reshape(-1, frame.width), format="yuv420p")
    picture.pts = number
    picture.time_base = Fraction(1, _MOST_FPS)
    return picture
