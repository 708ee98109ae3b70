"""A camera that speaks just enough RTSP: one viewer, RTP inside the same TCP connection."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import av
from av.video.stream import VideoStream

from tests.processing.media.videos import pictures

WIDTH, HEIGHT, FPS = 320, 240, 25


class RtpWriter:
    """Collects what FFmpeg's RTP muxer writes: one packet a call."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []

    def write(self, packet: bytes) -> int:
        self.packets.append(bytes(packet))
        return len(packet)


def rtp_packets(n_pictures: int) -> list[list[bytes]]:
    """Return the RTP packets of every picture of a video (MPEG-4 part 2)."""
    writer = RtpWriter()
    options = {"packetsize": "1400", "payload_type": "96"}
    by_picture: list[list[bytes]] = []
    with av.open(writer, "w", format="rtp", options=options, buffer_size=1400) as container:
        output = container.add_stream("mpeg4", rate=FPS)
        assert isinstance(output, VideoStream)
        output.width, output.height, output.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, bgr in enumerate(pictures(n_pictures, width=WIDTH, height=HEIGHT)):
            frame = av.VideoFrame.from_ndarray(bgr, format="bgr24")
            frame.pts = number
            container.mux(output.encode(frame))
            by_picture.append(writer.packets.copy())
            writer.packets.clear()
    return by_picture


class Camera:
    """Serves one viewer on a thread, until it is unplugged."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://admin:secret@127.0.0.1:{self._server.getsockname()[1]}/live"
        self._unplugged = threading.Event()
        self._silent = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def unplug(self) -> None:
        """End the connection, or never make one."""
        self._unplugged.set()
        self._server.close()
        self._thread.join(10)

    def fall_silent(self) -> None:
        """Keep the connection, send nothing more."""
        self._silent.set()

    def _serve(self) -> None:
        self._server.settimeout(10)
        try:
            connection, _ = self._server.accept()
        except OSError:
            return
        with connection:
            self._shake_hands(connection)
            self._play(connection)

    def _shake_hands(self, connection: socket.socket) -> None:
        method = ""
        with connection.makefile("rb") as requests:
            while method != "PLAY":
                lines = list(iter(lambda: requests.readline().strip().decode(), ""))
                method = lines[0].split()[0] if lines else "PLAY"
                sequence = next((line for line in lines if line.startswith("CSeq")), "CSeq: 0")
                connection.sendall(answer(method, sequence))

    def _play(self, connection: socket.socket) -> None:
        for packets in rtp_packets(50) * 1000:
            try:
                for packet in packets:
                    connection.sendall(b"$\0" + len(packet).to_bytes(2) + packet)
            except OSError:
                return
            while self._silent.is_set() and not self._unplugged.wait(0.05):
                pass
            if self._unplugged.wait(1 / (4 * FPS)):
                return


def answer(method: str, sequence: str) -> bytes:
    """Return the answer to one request."""
    head = {
        "OPTIONS": "Public: DESCRIBE, SETUP, PLAY\r\n",
        "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n",
        "PLAY": "Session: 1\r\n",
    }.get(method, "")
    body = ""
    if method == "DESCRIBE":
        body = (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=live\r\nt=0 0\r\n"
            "m=video 0 RTP/AVP 96\r\na=rtpmap:96 MP4V-ES/90000\r\na=control:track0\r\n"
        )
        head = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
    return f"RTSP/1.0 200 OK\r\n{sequence}\r\n{head}\r\n{body}".encode()


@contextmanager
def rtsp_camera() -> Iterator[Camera]:
    """Give a camera that is unplugged in the end."""
    camera = Camera()
    try:
        yield camera
    finally:
        camera.unplug()
