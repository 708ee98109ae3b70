"""Where a web process listens: a port, a path of the file system, or a socket it was handed."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISSOCK
from typing import Final

BACKLOG: Final = 2048
"""Connections that wait to be taken: after an outage a whole fleet comes at once."""


class CannotListen(Exception):
    """The place is taken, or may not be opened."""


@dataclass(frozen=True, slots=True)
class Address:
    """One of the three; a descriptor counts before a path, a path before host and port."""

    host: str = "127.0.0.1"
    port: int = 8000
    uds: Path | None = None
    fd: int | None = None

    def __str__(self) -> str:
        if self.fd is not None:
            return f"descriptor {self.fd}"
        return str(self.uds) if self.uds else f"{self.host}:{self.port}"

    def open(self) -> socket.socket:
        """Return a socket that listens here, or raise `CannotListen`."""
        try:
            if self.fd is not None:
                return socket.socket(fileno=self.fd)
            if self.uds is not None:
                return _open_path(self.uds)
            host = self.host.strip("[]")
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return socket.create_server((host, self.port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise CannotListen(error.strerror or str(error)) from error


def _open_path(path: Path) -> socket.socket:
    """Listen at a path; what a killed process left there is taken away, what lives is not."""
    if path.exists() and S_ISSOCK(path.stat().st_mode):
        with suppress(ConnectionRefusedError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))
            raise CannotListen("another process listens there")
        path.unlink()
    return socket.create_server(str(path), family=socket.AF_UNIX, backlog=BACKLOG)
