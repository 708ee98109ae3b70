"""A wire between agent and camera that can be cut, and that can carry nonsense."""

import contextlib
import random
import socket
import struct
import threading
from typing import Final, Literal

_AT_ONCE: Final = struct.pack("ii", 1, 0)
_SEED: Final = 20261122


class Wire:
    """Forwards TCP connections to a port, for as long as it is `sound`."""

    def __init__(self, port: int) -> None:
        self.state: Literal["sound", "nonsense", "reset"] = "sound"
        """With `nonsense` it answers, and goes on, with random bytes; with `reset` it hangs up."""
        self._target = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._is_closed = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._is_closed.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._is_closed.is_set():
            try:
                agent, _ = self._server.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._carry, args=(agent,))
            self._threads.append(thread)
            thread.start()

    def _carry(self, agent: socket.socket) -> None:
        dice = random.Random(_SEED)
        try:
            with agent, socket.create_connection(("127.0.0.1", self._target)) as camera:
                agent.settimeout(0.02)
                camera.settimeout(0.02)
                while not self._is_closed.is_set() and self.state != "reset":
                    asked, told = _received(agent), _received(camera)
                    if b"" in (asked, told):
                        return
                    camera.sendall(asked or b"")
                    if self.state == "nonsense":
                        told = dice.randbytes(2000)
                    agent.sendall(told or b"")
                agent.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        except OSError:
            return


def _received(connection: socket.socket) -> bytes | None:
    """Return what has come; None if nothing has, empty at the end."""
    try:
        return connection.recv(65536)
    except TimeoutError:
        return None
