"""An inference tier that sees what it is told to see, over real HTTP; also as a program.

`python -m tests.edge_agent.overflow.fake_tier PORT DIGEST LABEL` finds one LABEL in every picture.
"""

import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import msgspec

from processing.media.jpeg import read_jpeg_size
from processing.wire.messages import OverflowAccess
from processing.wire.tier import FoundThing, Judged

VERSION = "ab" * 16
TOKEN = "fwt_secret"  # a fake's
BOX = (0.25, 0.25, 0.5, 0.75)


def found(name: str = "person", label: int = 0, score: float = 0.9) -> FoundThing:
    return FoundThing(label=label, name=name, score=score, box=BOX)


@dataclass
class Script:
    """What it does; changed at will while it runs."""

    version: str = VERSION
    things: tuple[FoundThing, ...] = (found(),)
    delay_s: float = 0.0
    status: int = 200
    retry_after: str = ""
    is_ready: bool = True
    encoding: str = ""
    """What it says that its answer is packed with, which it is not."""
    drips_s: float = 0.0
    """Between the bytes of an answer."""
    pictures: list[bytes] = field(default_factory=list)
    queries: list[dict[str, list[str]]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    n_probes: int = 0


class FakeTier:
    """Runs between `start` and `kill`, as often as is wanted, at one port."""

    def __init__(self, port: int, script: Script | None = None) -> None:
        self.script = script or Script()
        self._port = port
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def access(self) -> OverflowAccess:
        return OverflowAccess(url=self.url, token=TOKEN, expires_s=3600.0, price_per_1000=2.0)

    def start(self) -> None:
        self._server = _Server(self._port, self.script)
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()

    def kill(self) -> None:
        """End as a process does that is killed: every connection breaks."""
        if self._server is not None:
            self._server.kill()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, script: Script) -> None:
        self.script = script
        self._sockets: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        self._sockets.add(connection)
        return connection, address

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        self._sockets.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever kills it breaks what it was doing."""

    def kill(self) -> None:
        self.shutdown()
        self.server_close()
        for connection in tuple(self._sockets):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self.server.script.n_probes += 1
        self._answer(200 if self.server.script.is_ready else 503, b"{}")

    def do_POST(self) -> None:
        script = self.server.script
        picture = self.rfile.read(int(self.headers["Content-Length"]))
        script.pictures.append(picture)
        script.queries.append(parse_qs(urlsplit(self.path).query))
        script.tokens.append(self.headers["Authorization"])
        time.sleep(script.delay_s)
        if script.status != 200:
            return self._answer(script.status, b'{"detail": "so it is told"}')
        width, height = read_jpeg_size(picture)
        judged = Judged(
            model="fake",
            version=script.version,
            width=width,
            height=height,
            detections=script.things,
            waited_ms=0.0,
            decode_ms=1.0,
            infer_ms=1.0,
        )
        return self._answer(200, msgspec.msgpack.encode(judged))

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        if self.server.script.retry_after:
            self.send_header("Retry-After", self.server.script.retry_after)
        if self.server.script.encoding:
            self.send_header("Content-Encoding", self.server.script.encoding)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        pieces = [content]
        if self.server.script.drips_s:
            pieces = [content[n : n + 1] for n in range(len(content))]
        for piece in pieces:
            self.wfile.write(piece)
            time.sleep(self.server.script.drips_s)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def main() -> None:
    """Run until killed."""
    port, digest, label = sys.argv[1:]
    _Server(int(port), Script(digest, (found(label),), delay_s=0.02)).serve_forever()


if __name__ == "__main__":
    main()
