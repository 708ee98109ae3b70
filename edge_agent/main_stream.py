"""The main stream of a camera that is watched by a smaller one: never decoded.

It is read for clips, and while somebody looks at the camera larger than the smaller one is.
"""

import structlog

from edge_agent.capture import Surroundings
from edge_agent.live_video import LiveVideoTap
from edge_agent.logs import without_credentials
from edge_agent.reading import Reader, Reading
from edge_agent.schedule import why_closed
from edge_agent.sources.address import open_passage
from processing.media.decode import SourceLost
from processing.media.packets import PacketTap, Taps
from processing.wire.camera import DesiredCamera

log = structlog.get_logger()


class MainStream:
    """Gives its taps the packets of `streams.clip_source`, and says while there are none.

    Without a recorder it is open only while somebody wants to see it.
    """

    def __init__(
        self,
        camera: DesiredCamera,
        around: Surroundings,
        *,
        video: LiveVideoTap,
        recorder: PacketTap | None,
    ) -> None:
        self._camera = camera
        self._around = around
        self._video = video
        self._is_recorded = recorder is not None
        self._problem = f"main stream {camera.camera_id}"
        self._is_missed = False
        taps = Taps(video) if recorder is None else Taps(recorder, video)
        name = f"main stream {camera.name}"
        self._reader = Reader(self, tap=taps, name=name, dice=around.dice)

    def start(self) -> None:
        self._reader.start()

    def stop(self) -> None:
        """Ask for the end; it may take as long as the camera's timeout."""
        self._reader.stop()
        self._around.health.solved(self._problem)

    def join(self, timeout_s: float) -> None:
        """Wait for the end, but not for a camera that hangs."""
        self._reader.join(timeout_s)

    def read(self, reading: Reading) -> None:
        """See `edge_agent.reading.Listener`."""
        around = self._around
        passage = open_passage(
            self._camera, reading.tap, files_dir=around.files_dir, now=around.now
        )
        for _ in passage.packets(reading.stop):
            reading.beat()

    def rests(self) -> bool:
        """See `edge_agent.reading.Listener`."""
        is_wanted = self._is_recorded or self._video.is_wanted
        rests = not is_wanted or bool(why_closed(self._camera.schedule, self._around.now()))
        if rests:
            self.steady()
        return rests

    def came(self) -> None:
        """See `edge_agent.reading.Listener`."""

    def stalled(self, silent_s: float) -> None:
        """See `edge_agent.reading.Listener`. Worth telling once it is lost."""

    def lost(self, reason: SourceLost) -> None:
        """See `edge_agent.reading.Listener`."""
        if self._reader.is_stopped:
            return
        self._is_missed = True
        words = without_credentials(str(reason))
        missed = "clips" if self._is_recorded else "large pictures"
        self._around.health.problem(self._problem, f"No {missed} of {self._camera.name}: {words}")

    def steady(self) -> None:
        """See `edge_agent.reading.Listener`."""
        if self._is_missed:
            self._is_missed = False
            self._around.health.solved(self._problem)

    def hangs(self, n_threads: int) -> None:
        """See `edge_agent.reading.Listener`. It has been told to be lost."""
