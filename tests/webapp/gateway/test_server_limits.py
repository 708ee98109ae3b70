"""Daphne, as the hub runs it, holds no half request and keeps no large one."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.processes import free_port
from webapp.common.request_limits import MAX_BODY_BYTES

ROOT = Path(__file__).parents[3]
TINY_HUB = Path(__file__).with_name("tiny_hub.py")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that gives up on a request after a second."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(TINY_HUB), str(port), "1"],
        cwd=ROOT,
        env={
            "PYTHONPATH": str(ROOT),
            "FARWATCH_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        },
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"listening")
    yield port
    process.terminate()
    assert process.wait(20) == 0
    process.stdout.close()


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
