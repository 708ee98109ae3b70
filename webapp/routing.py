"""The hub's websockets: composition only."""

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, WebSocketScope
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import re_path

from webapp.dashboard.routing import websocket_urlpatterns
from webapp.gateway.routing import AGENT_PATH, agent_socket


async def websockets(
    scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """Agents prove who they are by a key; browsers by a session, and come from our own pages."""
    if scope["path"] == AGENT_PATH:
        await agent_socket(scope, receive, send)
    else:
        await _browsers(scope, receive, send)


async def _no_such_socket(
    scope: WebSocketScope,  # noqa: ARG001 - as ASGI calls it
    receive: ASGIReceiveCallable,
    send: ASGISendCallable,
) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 4404, "reason": None})


_browsers = AllowedHostsOriginValidator(
    AuthMiddlewareStack(
        URLRouter(
            [
                *websocket_urlpatterns,
                re_path(r"", _no_such_socket),  # type: ignore[arg-type]  # Channels routes to ASGI
            ]
        )
    )
)
