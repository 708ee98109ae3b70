"""Between a camera and its clips, where its pictures must be changed before they are stored."""

import threading
from collections import deque
from types import TracebackType
from typing import Final, Self

from processing.media.clip_packets import EncodedPicture
from processing.media.clip_reencode import Change, Reencoder
from processing.media.clip_ring import PacketRing

_AT_ONCE: Final = 30
"""Pictures of one camera before it is another's turn."""


class Turns:
    """A lock that goes to who has waited longest: encoding is one camera's work at a time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._line: deque[object] = deque()

    def __enter__(self) -> Self:
        me = object()
        with self._changed:
            self._line.append(me)
            self._changed.wait_for(lambda: self._line[0] is me)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._changed:
            self._line.popleft()
            self._changed.notify_all()


class Studio:
    """Encodes a camera's pictures anew, once for all its clips. For one thread."""

    def __init__(self, raw: PacketRing, change: Change, turns: Turns, *, hold_s: float) -> None:
        """`hold_s` is how long a clip may reach back."""
        self._raw: Final = raw
        self._turns: Final = turns
        self._reencoder = Reencoder(change)
        self.made: Final = PacketRing()
        """What may be stored."""
        self.made.hold(hold_s)
        self.next_number: int | None = None
        """Of the raw picture to read next; None before the first."""
        self.n_missed = 0

    def begin(self, number: int | None) -> None:
        """Begin with this raw picture, a key picture, unless begun already."""
        if self.next_number is None:
            self.next_number = number

    def work(self) -> int:
        """Encode some pictures; return how many were read. Raise `ClipFailed`."""
        if self.next_number is None:
            return 0
        pictures, self.next_number, n_missed = self._raw.read(self.next_number, at_most=_AT_ONCE)
        self.n_missed += n_missed
        if n_missed:
            self._keep(self._reencoder.finish())
        if pictures:
            with self._turns:
                for picture in pictures:
                    self._keep(self._reencoder.feed(picture))
        return len(pictures)

    def finish(self) -> None:
        """Make ready what is still on its way."""
        with self._turns:
            self._keep(self._reencoder.finish())

    def _keep(self, made: list[EncodedPicture]) -> None:
        for picture in made:
            self.made.put(picture)
