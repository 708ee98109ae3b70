"""What a recorder sees of a stream: its encoded packets, before anybody decodes them."""

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream


class PacketTap(Protocol):
    """Called by the one thread that reads the stream; what it is given, it may keep."""

    def begin(self, stream: "VideoStream") -> None:
        """A connection was made; the packets that follow are of this stream."""

    def take(self, packet: "Packet[VideoStream]", at: datetime) -> None:
        """Take the next packet, in the order of decoding; it was filmed `at`, aware UTC.

        `at` is on the same clock as the frames' captured_at.
        """

    def end(self) -> None:
        """The connection is over, however it ended."""


class Taps:
    """Gives several taps what one is given, in their order."""

    def __init__(self, *taps: PacketTap) -> None:
        self._taps = taps

    def begin(self, stream: "VideoStream") -> None:
        """See `PacketTap`."""
        for tap in self._taps:
            tap.begin(stream)

    def take(self, packet: "Packet[VideoStream]", at: datetime) -> None:
        """See `PacketTap`."""
        for tap in self._taps:
            tap.take(packet, at)

    def end(self) -> None:
        """See `PacketTap`."""
        for tap in self._taps:
            tap.end()
