"""What a capture thread asks of a source."""

import threading
from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

from processing.media.packets import PacketTap
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera


class Feed(Protocol):
    """A source of frames, opened anew with every call of `frames`."""

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Yield frames as they come, captured_at strictly increasing, until `stop` is set.

        Raise `processing.media.decode.SourceLost`. A feed has no other end.
        """


class Passage(Protocol):
    """A source whose packets go to a tap and are not decoded; opened with every call."""

    def packets(self, stop: threading.Event) -> Iterator[None]:
        """Yield after every packet that the tap was given, until `stop` is set.

        Raise `processing.media.decode.SourceLost`. A passage has no other end.
        """


FeedMaker: TypeAlias = Callable[[DesiredCamera, PacketTap | None], Feed]
"""Returns the feed of a camera, which gives the tap every packet before it is decoded; raises
`SourceLost` if its address is not one."""
