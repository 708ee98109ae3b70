"""Where a web process may listen, and what it says when it may not."""

import socket
from pathlib import Path

import pytest

from webapp.gateway.addresses import Address, CannotListen


def test_a_port_that_is_taken_is_said_so() -> None:
    with Address(port=0).open() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match="in use"):
            Address(port=port).open()


def test_a_path_that_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    address = Address(uds=tmp_path / "hub.sock")
    address.open().close()
    with address.open(), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "hub.sock"))


def test_a_path_where_somebody_listens_is_left_alone(tmp_path: Path) -> None:
    address = Address(uds=tmp_path / "hub.sock")
    with address.open():
        with pytest.raises(CannotListen, match="another process"):
            address.open()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "hub.sock"))


def test_a_file_is_never_taken_for_a_socket(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(CannotListen):
        Address(uds=path).open()
    assert path.read_text() == "mine"


def test_an_open_descriptor_is_used_as_it_is() -> None:
    opened = Address(port=0).open()
    port = opened.getsockname()[1]
    with Address(fd=opened.detach()).open(), socket.create_connection(("127.0.0.1", port)):
        pass


def test_a_descriptor_that_is_none_is_said_so() -> None:
    with pytest.raises(CannotListen, match="descriptor"):
        Address(fd=9_999).open()
