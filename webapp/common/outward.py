"""Telling addresses that people name, and never our own network by way of them.

A name is looked up once, what it stands for is judged, and that very address is called: looking it
up again could give another (DNS rebinding). Redirects are not followed. What comes back is bounded
in size, and all of it in time.
"""

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Timer
from typing import Final
from urllib.parse import SplitResult, urlsplit

MAX_BODY: Final = 512 * 1024
TIMEOUT_S: Final = 10.0
"""For all of it, from the call to the answer's status."""
MAX_URL: Final = 500
_NAT64: Final = IPv6Network("64:ff9b::/96")


class BadAddress(ValueError):
    """This is no address that we call; the text says why."""


class NoAnswer(Exception):
    """It was called, and did not answer as HTTP; the text says how it went."""


def check_address(url: str, *, may_be_private: bool) -> SplitResult:
    """Return the parts of an address that may be called; raise `BadAddress`.

    Unless private ones are allowed it must be https.
    """
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise BadAddress(f"At most {MAX_URL} characters, all of them plain.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadAddress("This is no address.") from error
    if parts.scheme != "https" and not (may_be_private and parts.scheme == "http"):
        raise BadAddress("It must begin with https://.")
    if not parts.hostname or port == 0:
        raise BadAddress("It names no host.")
    if parts.username is not None or parts.password is not None:
        raise BadAddress("It must not carry a password.")
    return parts


def post(url: str, body: bytes, headers: Mapping[str, str], *, may_be_private: bool) -> int:
    """Return the status that an address answers a POST with; raise `BadAddress` or `NoAnswer`."""
    assert len(body) <= MAX_BODY
    parts = check_address(url, may_be_private=may_be_private)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _judged(host, port, may_be_private=may_be_private)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    try:
        return _posted(_Call(parts, address, port), target, body, headers)
    except (OSError, HTTPException, ValueError) as error:
        raise NoAnswer(f"{host} did not answer: {str(error)[:200]}") from error


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is out on the internet, also one that is wrapped in another."""
    inner: IPv4Address | IPv6Address | None = None
    if isinstance(address, IPv6Address):
        teredo = address.teredo
        inner = address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


class _Call(HTTPConnection):
    """A connection to an address that is known already, under the name it was found by."""

    def __init__(self, parts: SplitResult, address: str, port: int) -> None:
        super().__init__(parts.hostname or "", port, timeout=TIMEOUT_S)
        self._address = address
        self._is_secret = parts.scheme == "https"
        self.default_port = 443 if self._is_secret else 80  # which is not told beside the name

    def connect(self) -> None:
        """Connect to the address, and see by its certificate that it is who it should be."""
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._is_secret:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)


def _posted(call: _Call, target: str, body: bytes, headers: Mapping[str, str]) -> int:
    def hang_up() -> None:
        if (sock := call.sock) is not None:
            with suppress(OSError):  # it may be closed by now
                sock.shutdown(socket.SHUT_RDWR)

    late = Timer(TIMEOUT_S, hang_up)  # each read has its own timeout, and there may be many
    late.daemon = True
    late.start()
    try:
        call.request("POST", target, body, dict(headers))
        return call.getresponse().status  # its body is not read
    finally:
        late.cancel()
        call.close()


def _judged(host: str, port: int, *, may_be_private: bool) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAnswer(f"{host} is not known: {error}") from error
    addresses = [str(where[0]) for *_, where in found]
    for address in addresses:
        if not may_be_private and not is_public(ip_address(address.partition("%")[0])):
            raise BadAddress(f"{host} is in a private network.")
    return addresses[0]
