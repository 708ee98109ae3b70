"""What a capture thread asks of a source."""

import threading
from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

from processing.vision.frame import Frame


class Feed(Protocol):
    """A source of frames, opened anew with every call of `frames`."""

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Yield frames as they come, captured_at strictly increasing, until `stop` is set.

        Raise `processing.media.decode.SourceLost`. A feed has no other end.
        """


FeedMaker: TypeAlias = Callable[[str], Feed]
"""Returns the feed of an address as the wire has it; raises `SourceLost` if it is not one."""
