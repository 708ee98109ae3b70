"""Ports of loopback that nobody else is given between being chosen and being listened at."""

import atexit
import socket
from contextlib import ExitStack

_held = ExitStack()
atexit.register(_held.close)


def free_port() -> int:
    """Return a port at which nothing listens; it is kept for whoever will, while this process runs.

    A socket that is bound and does not listen keeps the system from lending its port, and lets a
    server that reuses addresses, as all of ours do, listen there, again and again.
    """
    keeper = _held.enter_context(socket.socket())
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    return int(keeper.getsockname()[1])
