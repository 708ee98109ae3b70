"""Live video by the book: a Channels consumer and `group_send`, on plain Daphne.

`daphne benchmarks.live_path.stock:application` serves it; `stock_cameras` are its cameras.
"""

from typing import Any

from webapp.env import default_settings_module

default_settings_module()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402 - after the settings
from channels.layers import InMemoryChannelLayer, channel_layers  # noqa: E402 - same
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - same
from django.core.asgi import get_asgi_application  # noqa: E402 - same

_http = get_asgi_application()

from django.urls import path  # noqa: E402 - after Django is set up

channel_layers.set("default", InMemoryChannelLayer())


class Cameras(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """Sends whatever comes on to the group of its camera, whose number comes first."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        assert bytes_data is not None
        assert text_data is None
        group = f"camera_{bytes_data[0]}"
        await self.channel_layer.group_send(group, {"type": "show", "frame": bytes_data[1:]})


class Viewer(AsyncWebsocketConsumer):  # type: ignore[misc]  # same
    """Sends a viewer whatever comes to a camera's group."""

    async def connect(self) -> None:
        group = f"camera_{self.scope['url_route']['kwargs']['camera']}"
        await self.channel_layer.group_add(group, self.channel_name)
        await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Hear the thanks, which mean nothing here."""

    async def show(self, event: dict[str, Any]) -> None:
        await self.send(bytes_data=event["frame"])


application = ProtocolTypeRouter(
    {
        "http": _http,
        "websocket": URLRouter(
            [path("cameras", Cameras.as_asgi()), path("watch/<int:camera>", Viewer.as_asgi())]
        ),
    }
)
