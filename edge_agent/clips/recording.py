"""One clip in the making: which pictures of a camera belong to it, and when it is over."""

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from processing.media.clip_packets import ClipFailed, EncodedPicture
from processing.media.clip_ring import PacketRing
from processing.media.remux import Mp4Writer
from processing.wire.camera import ClipPolicy
from processing.wire.limits import MAX_CLIP_BYTES

_AT_ONCE: Final = 64
_MOST_BYTES: Final = MAX_CLIP_BYTES * 9 // 10
"""Of pictures; an index comes with them."""
_PATIENCE: Final = timedelta(seconds=3)
"""With a camera that sends nothing, after the time when the clip would have been complete."""


_LONGEST_BREAK: Final = timedelta(seconds=30)
"""That a clip shows, as a picture that stands still."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A finished part."""

    part: Path
    begins_at: datetime
    seconds: float


class Recording:
    """For one thread. Methods raise `ClipFailed`."""

    def __init__(self, event_id: UUID, at: datetime, policy: ClipPolicy, part: Path) -> None:
        """`at` is the moment that the clip has to show."""
        self.event_id: Final = event_id
        self.moment: Final = at
        self._policy: Final = policy
        self._part: Final = part
        self._until: datetime | None = None
        self._writer: Mp4Writer | None = None
        self._first: EncodedPicture | None = None
        self._last: EncodedPicture | None = None
        self.next_number: int | None = None
        """Of the picture to read next; None before the first."""
        self.n_missed = 0
        """Pictures that should be in it and are not: the disk or the encoder was too slow."""
        self.is_over = False

    def end(self, at: datetime) -> None:
        """The event is over; the clip goes on for as long as its policy says."""
        if self._until is None:
            self._until = at + timedelta(seconds=self._policy.after_s)

    @property
    def begins_from(self) -> datetime:
        """Return when the clip should begin; it does with the last key picture until then."""
        before_s = min(self._policy.before_s, self._policy.longest_s / 2)
        return self.moment - timedelta(seconds=before_s)

    def is_due(self, now: datetime) -> bool:
        """Return whether no more pictures are to be waited for."""
        longest = self.moment + timedelta(seconds=self._policy.longest_s)
        return now > min(self._until or longest, longest) + _PATIENCE

    def read(self, source: PacketRing) -> int:
        """Write what is new; return how many pictures were read."""
        if self.next_number is None:
            newest = source.newest_at
            if newest is None or newest < self.begins_from:
                return 0  # its source is still before its begin
            self.next_number = source.key_before(self.begins_from)
        n_read = 0
        while self.next_number is not None and not self.is_over:
            pictures, self.next_number, n_missed = source.read(self.next_number, at_most=_AT_ONCE)
            self.n_missed += n_missed
            n_read += len(pictures)
            if not pictures:
                break
            for picture in pictures:
                self._add(picture)
        return n_read

    def start_over(self) -> None:
        """Forget what was written; begin again with what the source still has."""
        self.abandon()
        self.next_number = None

    def finish(self) -> Recorded:
        """Complete the file."""
        writer, self._writer = self._writer, None
        if writer is None or self._first is None:
            raise ClipFailed("the camera sent no pictures")
        written = writer.finish()
        return Recorded(self._part, self._first.at, written.seconds)

    def abandon(self) -> None:
        """Remove what was written."""
        writer, self._writer = self._writer, None
        self._first = self._last = None
        if writer is not None:
            writer.abandon()
        with contextlib.suppress(OSError):  # a disk that is read-only by now
            self._part.unlink(missing_ok=True)

    def _add(self, picture: EncodedPicture) -> None:
        if self.is_over:
            return
        if self._until is not None and picture.at > self._until:
            self.is_over = True
            return
        if self._last is not None and _is_apart(self._last, picture):
            # What matters is the moment: what came before a break is not worth another's place.
            if self._last.at >= self.moment:
                self.is_over = True
                return
            self.abandon()
        if self._writer is None and not picture.is_key:
            return
        self._write(picture)

    def _write(self, picture: EncodedPicture) -> None:
        if self._writer is None:
            self._writer, self._first = Mp4Writer(self._part, picture), picture
        self._writer.write(picture)
        self._last = picture
        has_moment = picture.at > self.moment
        is_long = self._writer.seconds >= self._policy.longest_s
        if self._writer.n_bytes >= _MOST_BYTES or (is_long and has_moment):
            self.is_over = True


def _is_apart(last: EncodedPicture, picture: EncodedPicture) -> bool:
    """Return whether no clip can go on from one to the other: players need equal parameters."""
    return picture.coding != last.coding or picture.at - last.at > _LONGEST_BREAK
