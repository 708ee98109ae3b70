"""A camera that plays a file to its tap when told to, and all that a recorder needs around it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import av
import numpy as np

from edge_agent.clips.recorder import ClipRecorder, ClipSurroundings
from edge_agent.clips.shelf import ClipShelf
from edge_agent.clips.studio import Turns
from processing.vision.detections import Boxes
from processing.vision.frame import Frame
from processing.wire.camera import ClipPolicy, Privacy
from processing.wire.messages import ClipMade
from tests.edge_agent.entries import wait_until
from tests.processing.media.numbered import FPS, NOON, shown_by

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

POLICY = ClipPolicy(is_on=True, before_s=3.0, after_s=2.0, longest_s=120.0)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class Camera:
    """Plays a file at `FPS`; its first packet comes at `NOON` plus `from_s`."""

    def __init__(self, path: Path, recorder: ClipRecorder, *, from_s: float = 0.0) -> None:
        self._container: InputContainer = av.open(str(path))
        stream = self._container.streams.video[0]
        recorder.begin(stream)
        self._recorder = recorder
        self._packets: Iterator[Packet[VideoStream]] = self._container.demux(stream)
        self._from_s = from_s
        self._n_played = 0

    def play_until(self, seconds: float) -> None:
        """Send all packets up to this time, as fast as they can be taken."""
        while self._from_s + self._n_played / FPS < seconds - 1e-6:
            packet = next(self._packets)
            if packet.size:
                self._recorder.take(packet, after(self._from_s + self._n_played / FPS))
                self._n_played += 1

    def unplug(self) -> None:
        self._recorder.end()
        self._container.close()


@dataclass
class Scenery:
    """What a recorder tells, and what it asks."""

    folder: Path
    shelf: ClipShelf
    made: dict[UUID, ClipMade] = field(default_factory=dict)
    now: datetime = NOON
    heads: Boxes | None = field(default_factory=lambda: np.empty((0, 4), np.float32))
    may_look: threading.Event = field(default_factory=threading.Event)

    def heads_of(self, _frame: Frame) -> Boxes | None:
        assert self.may_look.wait(30)
        return self.heads

    def around(self) -> ClipSurroundings:
        return ClipSurroundings(
            shelf=self.shelf,
            made=self.made.__setitem__,
            heads_of=self.heads_of,
            turns=Turns(),
            now=lambda: self.now,
        )

    @contextmanager
    def recorder(
        self, policy: ClipPolicy = POLICY, privacy: Privacy | None = None
    ) -> Iterator[ClipRecorder]:
        recorder = ClipRecorder(uuid4(), self.around(), policy=policy, privacy=privacy or Privacy())
        try:
            yield recorder
        finally:
            recorder.close()

    def clip(self, event_id: UUID) -> Path:
        """Return the file of an event's clip, once it is made."""
        wait_until(lambda: event_id in self.made)
        found = self.shelf.find(self.made[event_id].clip_id)
        assert found is not None
        return found

    def numbers(self, event_id: UUID) -> list[int]:
        """Return the numbers of the pictures in an event's clip, once it is made."""
        return [number for _, number in shown_by(self.clip(event_id))]


def begun(recorder: ClipRecorder, event_id: UUID) -> None:
    """Wait until the recorder writes for this event, and has said which packets have to stay."""
    wait_until(lambda: event_id in recorder._recordings)
    recording = recorder._recordings[event_id]
    wait_until(lambda: recording.next_number is not None)
    wait_until(lambda: recorder._ring._wanted_from is not None)
