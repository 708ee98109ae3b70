"""No server, as the hub runs it, holds half a request or keeps a large one in memory."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from django.core.signing import TimestampSigner

from tests.ports import free_port
from webapp.common.request_limits import MAX_BODY_BYTES
from webapp.gateway import uploads

ROOT = Path(__file__).parents[3]
TINY_HUB = Path(__file__).with_name("tiny_hub.py")


SECRET_KEY = "of this server alone, and long enough for a key: " + "0123456789" * 4
LARGE = 64 * 2**20


@dataclass(frozen=True)
class Server:
    """A server that gives up on a request after a second, where the route does not say longer."""

    port: int
    pid: int

    def most_memory(self) -> int:
        """Return how many bytes it had resident at the most."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(TINY_HUB), request.param, str(port), "1"],
        cwd=ROOT,
        env={
            "PYTHONPATH": str(ROOT),
            "FARWATCH_DATA_DIR": str(tmp_path_factory.mktemp("data")),
            "FARWATCH_SECRET_KEY": SECRET_KEY,
        },
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"listening")
    yield Server(port, process.pid)
    process.terminate()
    assert process.wait(20) == 0
    process.stdout.close()


@pytest.fixture
def port(server: Server) -> int:
    return server.port


def request(port: int, head: str, *chunks: bytes, n_repeats: int = 1) -> bytes:
    """Send what is said and return all that comes back until the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            connection.sendall(head.replace("\n", "\r\n").encode())
            for _ in range(n_repeats):
                for chunk in chunks:
                    connection.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = b""
        try:
            while data := connection.recv(65536):
                answer += data
        except ConnectionResetError:
            pass
        return answer


def test_it_works(port: int) -> None:
    head = "POST / HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 5\n\n"
    assert request(port, head, b"hello").endswith(b"\r\n5\r\n0\r\n\r\n")


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(port: int) -> None:
    head = f"POST / HTTP/1.1\nHost: x\nContent-Length: {MAX_BODY_BYTES + 1}\n\n"
    answer = request(port, head)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer
    assert b"at most 1048576 bytes" in answer


def test_a_chunked_body_is_counted(port: int) -> None:
    head = "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n"
    chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
    answer = request(port, head, chunk, n_repeats=MAX_BODY_BYTES // 65536 + 1)
    assert answer.startswith(b"HTTP/1.1 413 ") or answer == b""  # cut off while still sending


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("GET / HTTP/1.1\nHost: x\n", id="half-a-head"),
        pytest.param("POST / HTTP/1.1\nHost: x\nContent-Length: 10\n\nhalf", id="half-a-body"),
    ],
)
def test_half_a_request_is_given_up(port: int, head: str) -> None:
    assert request(port, head).startswith(b"HTTP/1.1 408 ")


def test_a_head_without_end_is_cut_off(port: int) -> None:
    head = "GET / HTTP/1.1\nHost: x\n"
    answer = request(port, head, b"X-Long: " + b"x" * 8000 + b"\r\n", n_repeats=60)
    assert b" 200 " not in answer


def test_a_connection_takes_one_request_after_the_other(port: int) -> None:
    head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for _ in range(3):
            connection.sendall(head.encode())
            answer = b""
            while not answer.endswith(b"\r\n0\r\n\r\n"):
                answer += connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"GET / HTTP/1.1\r\nHost:")  # and then silence
        assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")


def upload_path(key: str = SECRET_KEY) -> str:
    """Return a path that the server gave out, or one that it did not."""
    signer = TimestampSigner(key=key, sep=".", salt="webapp.gateway.uploads")
    return uploads.PREFIX + signer.sign(UUID(int=1).hex + UUID(int=2).hex)


def test_a_large_clip_comes_through_in_little_memory(server: Server) -> None:
    before = server.most_memory()
    head = f"PUT {upload_path()} HTTP/1.1\nHost: x\nConnection: close\nContent-Length: {LARGE}\n\n"
    answer = request(server.port, head, bytes(2**20), n_repeats=LARGE // 2**20)
    assert answer.endswith(f"\r\n{LARGE}\r\n0\r\n\r\n".encode()), answer[:200]
    assert server.most_memory() - before < LARGE / 4


def test_a_large_clip_without_the_right_to_send_it_is_refused_before_it_comes(port: int) -> None:
    head = f"PUT {upload_path('another key')} HTTP/1.1\nHost: x\nContent-Length: {LARGE}\n\n"
    assert request(port, head).startswith(b"HTTP/1.1 413 ")


def begin_clip(port: int, path: str) -> tuple[socket.socket, bytes]:
    """Begin to send a clip; return the connection and the first word of the answer."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    words = f"PUT {path} HTTP/1.1", "Host: x", "Expect: 100-continue", "Content-Length: 5"
    connection.sendall("\r\n".join((*words, "", "")).encode())
    return connection, connection.recv(12)


def test_two_may_send_to_one_path_and_no_third_until_one_has_ended(port: int) -> None:
    path = upload_path()
    head = f"PUT {path} HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 5\n\n"
    first, first_word = begin_clip(port, path)
    second, second_word = begin_clip(port, path)
    assert first_word == second_word == b"HTTP/1.1 100"
    with first, second:
        assert request(port, head, b"third").startswith(b"HTTP/1.1 429 ")
        first.sendall(b"whole")
        answer = b""
        while not answer.endswith(b"\r\n0\r\n\r\n"):
            answer += first.recv(65536)
        assert b" 200 " in answer
        assert request(port, head, b"third").startswith(b"HTTP/1.1 200 ")


def test_who_hangs_up_gives_way(port: int) -> None:
    path = upload_path()
    for connection, _ in (begin_clip(port, path), begin_clip(port, path)):
        connection.close()
    head = f"PUT {path} HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 5\n\n"
    deadline = time.monotonic() + 20
    while not (answer := request(port, head, b"third")).startswith(b"HTTP/1.1 200 "):
        assert answer.startswith(b"HTTP/1.1 429 ")
        assert time.monotonic() < deadline
