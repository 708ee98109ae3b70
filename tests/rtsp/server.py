"""Starts, stalls and kills `camera.py`, with a film that it plays."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.video.stream import VideoStream

from tests.needed import skip_or_fail

FPS: Final = 15
_PYTHON: Final = "/usr/bin/python3"
_PACKAGES: Final = (
    "gir1.2-gst-rtsp-server-1.0 python3-gi "
    "gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
)
_PROBE: Final = (
    "import gi; gi.require_version('GstRtspServer', '1.0')\n"
    "from gi.repository import Gst, GstRtspServer; Gst.init(None)\n"
    "assert all(map(Gst.ElementFactory.find, ('appsrc', 'h264parse', 'rtph264pay')))"
)


def need_rtsp_server() -> None:
    """Skip or fail without what `camera.py` needs."""
    try:
        probe = subprocess.run([_PYTHON, "-c", _PROBE], capture_output=True, check=False)
    except FileNotFoundError:
        skip_or_fail(f"there is no {_PYTHON}")
    else:
        if probe.returncode:
            skip_or_fail(f"no RTSP server: apt-get install {_PACKAGES}")


def write_film(path: Path, *, width: int, height: int, seconds: int = 2) -> Path:
    """Write an H.264 file of a square that moves, with a key frame every half second."""
    options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "aud=1"}
    options["g"] = str(FPS // 2)
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=FPS, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * FPS):
            picture = np.full((height, width, 3), 90, np.uint8)
            picture[40:80, number * 4 : number * 4 + 40] = 230
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


class RtspCamera:
    """One camera process; its port stays when it is started again."""

    def __init__(self, film: Path, login: tuple[str, str] | None = None) -> None:
        self.film = film
        self._login: tuple[str, ...] = login or ()
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self._port}/live"

    def url_for(self, user: str, password: str) -> str:
        return f"rtsp://{user}:{password}@127.0.0.1:{self._port}/live"

    def start(self) -> None:
        script = Path(__file__).with_name("camera.py")
        command = [_PYTHON, str(script), str(self._port), str(FPS), str(self.film), *self._login]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())

    def stall(self) -> None:
        """Send nothing, and keep the connection."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Pull the plug."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@contextmanager
def rtsp_camera(film: Path, login: tuple[str, str] | None = None) -> Iterator[RtspCamera]:
    """Give a camera that plays, and is killed in the end."""
    need_rtsp_server()
    camera = RtspCamera(film, login)
    camera.start()
    try:
        yield camera
    finally:
        camera.kill()
