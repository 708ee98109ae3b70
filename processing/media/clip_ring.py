"""The last seconds of a camera as it sent them, so that a clip can begin before its event."""

import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from processing.media.clip_packets import EncodedPicture

MAX_BYTES: Final = 48 * 1024 * 1024
"""Of one camera."""
_OVERHEAD_BYTES: Final = 256
"""Of a picture beside its data."""


class Stretch(NamedTuple):
    """What a reader gets."""

    pictures: Sequence[EncodedPicture]
    next_number: int
    """Where to read on."""
    n_missed: int
    """Pictures before these that were given up before the reader came for them."""


class PacketRing:
    """Bounded in seconds and bytes; always begins at a key picture. Any thread may call.

    Who reads slowly holds nobody up: what is too much is given up, oldest first, up to a key
    picture, and the reader is told how many it missed.
    """

    def __init__(self, *, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes: Final = max_bytes
        self._lock = threading.Lock()
        self._hold = timedelta(0)
        self._pictures: deque[EncodedPicture] = deque()
        self._keys: deque[int] = deque()
        """The numbers of the key pictures that are held."""
        self._first = 0
        """The number of the oldest picture that is held."""
        self._n_bytes = 0
        self._wanted_from: int | None = None

    def hold(self, seconds: float) -> None:
        """Keep so many seconds and no more; with 0 keep nothing."""
        with self._lock:
            self._hold = timedelta(seconds=seconds)
            if not self._hold:
                self._drop(len(self._pictures))

    def want_from(self, number: int | None) -> None:
        """Somebody still has to read from here on: keep that longer, as long as it fits."""
        with self._lock:
            self._wanted_from = number

    def put(self, picture: EncodedPicture) -> None:
        """Take the next picture; one that nothing can be made of is not kept."""
        with self._lock:
            if not self._hold or not (self._pictures or picture.is_key):
                return
            if picture.is_key:
                self._keys.append(self._first + len(self._pictures))
            self._pictures.append(picture)
            self._n_bytes += len(picture.data) + _OVERHEAD_BYTES
            self._trim()

    def key_before(self, at: datetime) -> int | None:
        """Return the number of the last key picture at or before `at`, else of the first there is.

        None if there is no picture at all.
        """
        with self._lock:
            best = self._keys[0] if self._keys else None
            for number in self._keys:
                if self._pictures[number - self._first].at <= at:
                    best = number
            return best

    def read(self, number: int, *, at_most: int) -> Stretch:
        """Return up to `at_most` pictures from this number on."""
        with self._lock:
            begins = max(number, self._first)
            skip = begins - self._first
            held = len(self._pictures)
            pictures = [self._pictures[n] for n in range(skip, min(held, skip + at_most))]
            missed = max(0, begins - number)
            return Stretch(pictures, begins + len(pictures), missed)

    @property
    def newest_at(self) -> datetime | None:
        """Return when the last picture came."""
        with self._lock:
            return self._pictures[-1].at if self._pictures else None

    @property
    def codec(self) -> str | None:
        """Return the codec of the last picture, as FFmpeg names it."""
        with self._lock:
            return self._pictures[-1].coding.codec if self._pictures else None

    @property
    def n_bytes(self) -> int:
        """Return how much memory the pictures take."""
        with self._lock:
            return self._n_bytes

    def _trim(self) -> None:
        newest = self._pictures[-1].at
        while len(self._keys) > 1 and self._is_too_old(newest):
            self._drop(self._keys[1] - self._first)
        while self._n_bytes > self._max_bytes:
            next_key = self._keys[1] if len(self._keys) > 1 else self._first + len(self._pictures)
            self._drop(next_key - self._first)

    def _is_too_old(self, newest: datetime) -> bool:
        """Return whether the pictures up to the second key picture are of no more use."""
        second = self._keys[1]
        if self._wanted_from is not None and self._wanted_from < second:
            return False
        # One from the future was taken before the clock was set back.
        is_later = self._pictures[0].at > newest
        return is_later or self._pictures[second - self._first].at <= newest - self._hold

    def _drop(self, n: int) -> None:
        for _ in range(n):
            self._n_bytes -= len(self._pictures.popleft().data) + _OVERHEAD_BYTES
        self._first += n
        while self._keys and self._keys[0] < self._first:
            self._keys.popleft()
