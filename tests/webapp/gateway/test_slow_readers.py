"""An answer comes as fast as it is read, from either server, and is whole or plainly broken off."""

import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[3]
TALKING_HUB = Path(__file__).with_name("talking_hub.py")
ALL = 2**16 * 1024
WHOLE = 2**16 * 16
LITTLE = 2**24
"""More than sockets and servers hold in passing, and far less than all."""


@pytest.fixture(scope="module", params=[("daphne",), ("uvicorn",)], ids=" ".join)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Server"]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(TALKING_HUB), str(port), *request.param],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "FARWATCH_DATA_DIR": str(tmp_path_factory.mktemp("data"))},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"listening")
    yield Server(port, process.pid)
    process.terminate()
    assert process.wait(60) == 0
    process.stdout.close()


class Server:
    def __init__(self, port: int, pid: int) -> None:
        self.port, self._pid = port, pid

    def ask(self, path: str) -> bytes:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("GET", path)
            with connection.getresponse() as answer:
                return answer.read()
        finally:
            connection.close()

    def most_memory(self) -> int:
        """Return how many bytes it had resident at the most."""
        status = Path(f"/proc/{self._pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024


def test_a_slow_reader_costs_no_memory_and_gets_all(server: Server) -> None:
    said_before, before = int(server.ask("/said")), server.most_memory()
    begun = time.monotonic()
    connection = HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request("GET", "/all")
    with connection.getresponse() as answer:
        n_read = len(answer.read(1))
        while time.monotonic() - begun < 2.5:  # longer than an answer may take to begin
            assert int(server.ask("/said")) - said_before < LITTLE
        while piece := answer.read(2**20):
            n_read += len(piece)
    connection.close()
    assert n_read == ALL
    assert server.most_memory() - before < LITTLE


def test_what_breaks_off_does_not_look_whole(server: Server) -> None:
    for _ in range(2):
        with pytest.raises((IncompleteRead, ConnectionResetError)):
            server.ask("/broken")
    assert server.ask("/said").isdigit()


def test_an_answer_in_one_piece_is_over_at_once(server: Server) -> None:
    said_before = int(server.ask("/said"))
    assert len(server.ask("/whole")) == WHOLE
    assert int(server.ask("/said")) - said_before == WHOLE


def test_what_breaks_after_its_answer_harms_nobody(server: Server) -> None:
    for _ in range(2):
        assert len(server.ask("/late")) == WHOLE
    with pytest.raises((IncompleteRead, ConnectionResetError)):
        server.ask("/broken")


@pytest.mark.parametrize("server", [("daphne", "1")], indirect=True)  # Uvicorn waits for readers
def test_a_reader_that_reads_nothing_is_hung_up_on(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /all HTTP/1.1\r\nHost: x\r\n\r\n")
        gone = select.poll()
        gone.register(connection, 0)
        assert gone.poll(120_000) != []
