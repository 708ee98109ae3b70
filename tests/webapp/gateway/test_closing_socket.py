"""A socket that closes while something is sent is told of the way ASGI has it, on Daphne too."""

from typing import Any

import pytest
from autobahn.exception import Disconnected

from webapp.gateway.addresses import Address
from webapp.gateway.server import HubServer


class Closing:
    """A websocket of Daphne's whose other end has begun to close."""

    def handle_reply(self, message: dict[str, Any]) -> None:
        raise Disconnected(f"Attempt to send {message['type']} on a closed protocol")


async def nothing(*_: object) -> None:
    """Serve nobody."""


async def test_sending_to_a_closing_socket_is_an_os_error() -> None:
    server = HubServer(
        nothing,
        address=Address(port=0),
        when_listening=lambda _: None,
        when_told_to_stop=lambda: None,
        before_stop=nothing,
    )
    socket = Closing()
    server.connections = {socket: {}}
    with pytest.raises(OSError, match="closed protocol"):
        await server.handle_reply(socket, {"type": "websocket.send", "text": "late"})
