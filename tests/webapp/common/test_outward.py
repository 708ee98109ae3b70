"""Addresses that people name are called, and never our own network by way of them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from ipaddress import ip_address

import pytest

from webapp.common import outward
from webapp.common.outward import BadAddress, NoAnswer, check_address, is_public, post

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


class Listener:
    """Answers one call with given bytes, and remembers what it was told."""

    def __init__(self, answer: bytes, *, hangs: bool = False) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._answer, self._hangs = answer, hangs
        self.heard = b""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/hook?a=1"

    def _serve(self) -> None:
        try:
            caller, _ = self._socket.accept()
        except OSError:
            return  # closed before anybody called
        with caller, suppress(OSError):
            caller.settimeout(5)
            while b"\r\n\r\n" not in self.heard or not self.heard.endswith(b"}"):
                if not (part := caller.recv(65536)):
                    return
                self.heard += part
            caller.sendall(self._answer)
            if self._hangs:
                self._over.wait(10)

    def close(self) -> None:
        self._over.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with closing(Listener(OK)) as found:
        yield found


def test_it_works(listener: Listener) -> None:
    status = post(listener.url, b"{}", {"X-Word": "hello"}, may_be_private=True)
    assert status == 204
    assert listener.heard.startswith(b"POST /hook?a=1 HTTP/1.1\r\n")
    assert b"X-Word: hello\r\n" in listener.heard
    assert listener.heard.endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "[::1]", "[::]", "[fe80::1]", "[fc00::1]",
        "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "localhost", "2130706433",
    ],
)  # fmt: skip
def test_a_private_address_is_not_called_whatever_it_is_written_as(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(*_: object) -> socket.socket:
        raise AssertionError("it was called")

    monkeypatch.setattr(socket, "create_connection", call)
    with pytest.raises((BadAddress, NoAnswer)):
        post(f"https://{host}/", b"{}", {}, may_be_private=False)


def test_a_name_that_means_something_else_the_second_time_gains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was judged is what is called, however the name answers later."""
    answers = iter(["93.184.215.14", "127.0.0.1"])
    called = []

    def look_up(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 443))]

    def call(where: tuple[str, int], *_: object) -> socket.socket:
        called.append(where)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", call)
    with pytest.raises(NoAnswer):
        post("https://rebinds.example/", b"{}", {}, may_be_private=False)
    assert called == [("93.184.215.14", 443)]


def test_one_private_address_among_others_spoils_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object, **__: object) -> list[tuple[object, ...]]:
        found = ("93.184.215.14", "10.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(BadAddress, match="private"):
        post("https://two.example/", b"{}", {}, may_be_private=False)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "https://", "//x",
        "https://user:word@example.org/", "https://example.org:99999/", "https://example.org:0/",
        "https://exam ple.org/", "https://example.org/\r\nX: y", "https://example.org/é",
        "https://example.org/" + "a" * 500, "https://[::1", "",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadAddress):
        check_address(url, may_be_private=False)


@pytest.mark.parametrize(
    "answer",
    [
        b"hello\r\n\r\n", b"HTTP/1.1 ", b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, b"HTTP/1.1 200 " + b"a" * 100_000,
    ],
)  # fmt: skip
def test_who_answers_nonsense_has_not_answered(answer: bytes) -> None:
    with closing(Listener(answer)) as listener, pytest.raises(NoAnswer):
        post(listener.url, b"{}", {}, may_be_private=True)


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    found = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\n\r\n"
    with closing(Listener(found)) as listener:
        assert post(listener.url, b"{}", {}, may_be_private=True) == 302


def test_who_never_ends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outward, "TIMEOUT_S", 0.2)
    hanging = Listener(b"HTTP/1.1", hangs=True)
    with closing(hanging) as listener, pytest.raises(NoAnswer):
        post(listener.url, b"{}", {}, may_be_private=True)
