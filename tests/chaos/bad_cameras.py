"""Servers that no camera's viewer should be troubled by: one says nothing, one talks rubbish."""

import contextlib
import random
import socket
import threading
from types import TracebackType
from typing import Final, Self

_CHUNK: Final = 4096


class BadServer:
    """Accepts every connection, inside a `with` block; `port` is where."""

    def __init__(self, *, talks: bool) -> None:
        """Say nothing for ever, or, if it `talks`, send random bytes as fast as they are taken."""
        self._talks = talks
        self._dice = random.Random(3)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: Final = int(self._listening.getsockname()[1])
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, name="bad server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return  # shut down
            self._connections.append(connection)
            if self._talks:
                talk = threading.Thread(target=self._talk, args=(connection,), daemon=True)
                talk.start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # whoever listened has gone
            while True:
                connection.sendall(self._dice.randbytes(_CHUNK))
