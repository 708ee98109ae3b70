"""RTSP, HTTP and USB cameras: frames are dated by the stream's own clock, mapped to ours."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import structlog

from edge_agent.clock import Clock
from edge_agent.sources.stream_clock import Increasing, StreamClock
from processing.media.decode import Decoder, Source
from processing.media.packets import PacketTap
from processing.vision.frame import Frame

_BACKLOG_S: Final = 1.0
"""So long after connecting, pictures that come faster than the camera makes them are old ones."""
_FALLBACK_FPS: Final = 25.0

log = structlog.get_logger()


class LiveFeed:
    """A `Feed` of a camera, and the `Passage` of its packets."""

    def __init__(
        self, source: Source, *, now: Clock, tap: PacketTap | None = None, hardware: str = ""
    ) -> None:
        self._source = source
        self._now = now
        self._tap = tap
        self._hardware = hardware

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """See `Feed`."""
        stamps = _Stamps(self._now)
        with self._opened(stamps) as decoder:
            backlog = _Backlog(decoder.fps or _FALLBACK_FPS)
            for picture in decoder:
                if stop.is_set():
                    return
                if backlog.holds(time.monotonic()):
                    continue
                yield Frame.of(picture.planes, captured_at=stamps.of_picture(picture.at_s))

    def packets(self, stop: threading.Event) -> Iterator[None]:
        """See `Passage`."""
        with self._opened(_Stamps(self._now)) as decoder:
            for _ in decoder.pass_packets():
                if stop.is_set():
                    return
                yield

    def _opened(self, stamps: "_Stamps") -> Decoder:
        decoder = Decoder(
            self._source, tap=self._tap, stamp=stamps.of_packet, hardware=self._hardware
        )
        stamps.has_clock, stamps.is_held = decoder.has_clock, decoder.holds_packets
        if self._hardware and not decoder.is_on_hardware:
            log.info("decode.in_software", source=self._source.title, asked_for=self._hardware)
        return decoder


class _Stamps:
    """The instants of one connection's packets and pictures."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self._clock = StreamClock()
        self._pictures = Increasing()
        self.has_clock = True
        self.is_held = False

    def of_packet(self, at_s: float) -> datetime:
        """See `processing.media.decode.Stamp`."""
        learn = self._clock.let_go if self.is_held else self._clock.arrived
        learn(at_s, time.monotonic())
        return self._filmed(at_s)

    def of_picture(self, at_s: float) -> datetime:
        """Return when a picture was filmed."""
        return self._pictures.next(self._filmed(at_s))

    def _filmed(self, at_s: float) -> datetime:
        age_s = self._clock.age_s(at_s, time.monotonic()) if self.has_clock else 0.0
        return self._now() - timedelta(seconds=age_s)


class _Backlog:
    """Tells the pictures that a camera had ready when we joined from those it makes now."""

    def __init__(self, fps: float) -> None:
        self._quick_s = 0.5 / fps
        self._until: float | None = None
        self._last = 0.0

    def holds(self, at: float) -> bool:
        """Return whether the picture that arrives at this monotonic instant is an old one."""
        if self._until is None:
            self._until, self._last = at + _BACKLOG_S, at
            return False
        is_quick = at - self._last < self._quick_s and at < self._until
        self._last = at
        return is_quick
