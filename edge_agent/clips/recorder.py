"""Makes the clips of one camera's events, beside the camera's own thread, which never waits."""

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import structlog

from edge_agent.clips.recording import Recording
from edge_agent.clips.shelf import ClipShelf, ShelfFull
from edge_agent.clips.studio import Studio, Turns
from edge_agent.clock import Clock
from processing.media.clip_packets import ClipFailed, PacketCopier
from processing.media.clip_reencode import unchanged
from processing.media.clip_ring import PacketRing
from processing.media.clip_veil import HeadsOf, Veil
from processing.media.remux import plays_as_it_is
from processing.wire.camera import ClipPolicy, Privacy
from processing.wire.messages import ClipMade

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

_LOOK_EVERY_S: Final = 0.5
"""While a clip is made: how long packets gather before they are written."""
_SLACK_S: Final = 5.0
"""How late one may hear of an event, and have the whole of what came before it."""
_MOST_AT_ONCE: Final = 16
"""Clips of one camera in the making."""
_NICENESS: Final = 10
_LAST_BATCHES: Final = 10
"""That are still encoded when the agent ends; what would take longer is cut off."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ClipSurroundings:
    """What the recorders of all cameras share."""

    shelf: ClipShelf
    made: Callable[[UUID, ClipMade], None]
    """Told of every clip, by its event; called by the recorder's thread."""
    heads_of: HeadsOf
    """Asked on the recorder's thread, five times a second of a clip that hides faces."""
    turns: Turns
    now: Clock


@dataclass(frozen=True, slots=True)
class ClipCounts:
    """What became of a camera's clips so far."""

    n_made: int = 0
    n_failed: int = 0
    """Nothing of them is there: no pictures, a full disk, an unknown codec."""
    n_refused: int = 0
    """Too many were in the making at once."""
    n_pictures_missed: int = 0
    """Left out of clips, because the disk or the encoder was too slow."""


class ClipRecorder:
    """A `PacketTap` of one camera; any thread may call. A clip has its event's id."""

    def __init__(
        self, camera_id: UUID, around: ClipSurroundings, *, policy: ClipPolicy, privacy: Privacy
    ) -> None:
        self._camera_id: Final = camera_id
        self._around: Final = around
        self._ring = PacketRing()
        self._copier = PacketCopier(self._ring.put)
        self._changed = threading.Condition()
        self._orders: deque[Callable[[], None]] = deque()
        self._is_closing = False
        # From here on, all is the recorder's own thread's.
        self._policy = policy
        self._privacy = privacy
        self._recordings: dict[UUID, Recording] = {}
        self._studio: Studio | None = None
        self._codec: str | None = None
        """Of the camera, as it was when the step began."""
        self._counts = ClipCounts()
        self._is_failing = False
        self._hold(policy)
        self._thread = threading.Thread(target=self._run, name=f"clips {camera_id}", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------ of the camera

    def begin(self, stream: "VideoStream") -> None:
        """See `PacketTap`."""
        self._copier.begin(stream)

    def take(self, packet: "Packet[VideoStream]", at: datetime) -> None:
        """See `PacketTap`."""
        self._copier.take(packet, at)

    def end(self) -> None:
        """See `PacketTap`."""
        self._copier.end()

    # ------------------------------------------------------------ of its events

    def begin_event(self, event_id: UUID, at: datetime) -> None:
        """Something begins that shall have a clip, unless the policy says no."""
        self._order(lambda: self._begin_event(event_id, at))

    def end_event(self, event_id: UUID, at: datetime) -> None:
        """It is over; an event that is not known (any more) is nothing to worry about."""
        self._order(lambda: self._end_event(event_id, at))

    def tune(self, policy: ClipPolicy, privacy: Privacy) -> None:
        """Go on with other settings. Clips in the making obey another privacy from their begin."""
        self._hold(policy)
        self._order(lambda: self._tune(policy, privacy))

    def close(self) -> None:
        """Finish the clips in the making with what there is, and end."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join()

    @property
    def counts(self) -> ClipCounts:
        """Return what became of the clips so far."""
        return self._counts

    # ------------------------------------------------------------ the thread

    def _order(self, order: Callable[[], None]) -> None:
        with self._changed:
            self._orders.append(order)
            self._changed.notify()

    def _run(self) -> None:
        _be_nice()
        is_behind = False
        while not self._is_closing:
            with self._changed:
                if not is_behind:
                    self._changed.wait_for(
                        lambda: self._orders or self._is_closing,
                        timeout=_LOOK_EVERY_S if self._recordings else None,
                    )
            self._obey()
            is_behind = self._work()
        self._obey()
        self._finish_all()

    def _obey(self) -> None:
        while self._orders:
            self._orders.popleft()()

    def _begin_event(self, event_id: UUID, at: datetime) -> None:
        if not self._policy.is_on or event_id in self._recordings:
            return
        if len(self._recordings) >= _MOST_AT_ONCE:
            self._count(n_refused=1)
            return
        shelf = self._around.shelf
        with suppress(OSError):  # a disk that fails is noticed when the clip is written
            shelf.expire(self._around.now())
        part = shelf.part(event_id)
        self._recordings[event_id] = Recording(event_id, at, self._policy, part)

    def _end_event(self, event_id: UUID, at: datetime) -> None:
        if recording := self._recordings.get(event_id):
            recording.end(at)

    def _tune(self, policy: ClipPolicy, privacy: Privacy) -> None:
        if privacy != self._privacy:
            self._studio = None
            for recording in self._recordings.values():
                recording.start_over()
        self._policy, self._privacy = policy, privacy

    def _hold(self, policy: ClipPolicy) -> None:
        self._ring.hold(policy.before_s + _SLACK_S if policy.is_on else 0.0)

    # ------------------------------------------------------------ a step

    def _work(self) -> bool:
        """Write what is new; return whether there is more to do at once."""
        self._codec = self._ring.codec
        n_encoded = self._encode()
        for recording in tuple(self._recordings.values()):
            self._advance(recording, is_raw_read=not n_encoded)
        self._want()
        if not self._recordings:
            self._studio = None
        return n_encoded > 0

    def _encode(self) -> int:
        """Let the studio do some of its work, where the pictures need one."""
        if not self._recordings:
            return 0
        if self._studio is None:
            if not self._needs_studio():
                return 0
            self._studio = self._open_studio()
        earliest = min(recording.begins_from for recording in self._recordings.values())
        self._studio.begin(self._ring.key_before(earliest))
        n_missed_before = self._studio.n_missed
        try:
            n_read = self._studio.work()
        except ClipFailed as error:
            self._fail_all(error)
            return 0
        self._count(n_pictures_missed=self._studio.n_missed - n_missed_before)
        return n_read

    def _needs_studio(self) -> bool:
        """Return whether clips cannot be of the pictures as they are; asked before they begin."""
        if any(recording.next_number is not None for recording in self._recordings.values()):
            return False
        is_unplayable = self._codec is not None and not plays_as_it_is(self._codec)
        return self._privacy.is_needed or is_unplayable

    def _open_studio(self) -> Studio:
        change = unchanged
        if self._privacy.is_needed:
            change = Veil(self._privacy, self._around.heads_of).over
        hold_s = self._policy.before_s + _SLACK_S
        return Studio(self._ring, change, self._around.turns, hold_s=hold_s)

    def _advance(self, recording: Recording, *, is_raw_read: bool) -> None:
        """Write what is new of one clip, and finish it if it is over or its camera gone."""
        try:
            source = self._source()
            n_read = recording.read(source) if source is not None else 0
        except ClipFailed as error:
            self._fail(recording, error)
            return
        is_given_up = is_raw_read and not n_read and recording.is_due(self._around.now())
        if recording.is_over or is_given_up:
            self._finish(recording)

    def _source(self) -> PacketRing | None:
        """Return where clips come from; None while it is not known what the camera sends."""
        if self._studio is not None:
            return self._studio.made
        return self._ring if self._codec is not None else None

    def _want(self) -> None:
        """Say which pictures have to stay until they are read."""
        numbers = [recording.next_number for recording in self._recordings.values()]
        begun = [number for number in numbers if number is not None]
        first = min(begun, default=None)
        if self._studio is None:
            self._ring.want_from(first)
        else:
            self._studio.made.want_from(first)
            self._ring.want_from(self._studio.next_number if self._recordings else None)

    # ------------------------------------------------------------ the end of a clip

    def _finish_all(self) -> None:
        self._codec = self._ring.codec
        for _ in range(_LAST_BATCHES):
            if not self._encode():
                break
        if self._studio is not None:
            try:
                self._studio.finish()
            except ClipFailed as error:
                self._fail_all(error)
        for recording in tuple(self._recordings.values()):
            self._advance(recording, is_raw_read=True)
            if recording.event_id in self._recordings:
                self._finish(recording)

    def _finish(self, recording: Recording) -> None:
        try:
            recorded = recording.finish()
            made = self._around.shelf.add(
                recorded.part,
                clip_id=recording.event_id,
                camera_id=self._camera_id,
                begins_at=recorded.begins_at,
                seconds=recorded.seconds,
            )
        except (ClipFailed, ShelfFull, OSError) as error:
            self._fail(recording, error)
            return
        del self._recordings[recording.event_id]
        self._is_failing = False
        self._count(n_made=1, n_pictures_missed=recording.n_missed)
        self._around.made(recording.event_id, made)

    def _fail_all(self, error: Exception) -> None:
        self._studio = None
        for recording in tuple(self._recordings.values()):
            self._fail(recording, error)

    def _fail(self, recording: Recording, error: Exception) -> None:
        recording.abandon()
        del self._recordings[recording.event_id]
        self._count(n_failed=1)
        if not self._is_failing:
            self._is_failing = True
            log.warning("clip.failed", camera=str(self._camera_id), reason=str(error))

    def _count(
        self, *, n_made: int = 0, n_failed: int = 0, n_refused: int = 0, n_pictures_missed: int = 0
    ) -> None:
        so_far = self._counts
        self._counts = ClipCounts(
            so_far.n_made + n_made,
            so_far.n_failed + n_failed,
            so_far.n_refused + n_refused,
            so_far.n_pictures_missed + n_pictures_missed,
        )


def _be_nice() -> None:
    """Let this thread, and the encoder's, have what the others leave of the processor."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
    except (AttributeError, OSError):
        return  # not on Linux; it is fair then, and no more
