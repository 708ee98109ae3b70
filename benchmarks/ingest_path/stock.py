"""A hub by the book: a Channels consumer, JSON, one `create` for each result, on plain Daphne.

`daphne benchmarks.ingest_path.stock:application` serves it; `stock_load` is its load.
"""

import json
from datetime import datetime
from typing import Any

from webapp.env import default_settings_module

default_settings_module()

from channels.db import database_sync_to_async  # noqa: E402 - after the settings are named
from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402 - same
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - same
from django.core.asgi import get_asgi_application  # noqa: E402 - same

_http = get_asgi_application()

from django.urls import path  # noqa: E402 - after Django is set up

from webapp.common.clock import now  # noqa: E402 - same
from webapp.fleet.models import Agent, Bundle  # noqa: E402 - same
from webapp.results.models import Result  # noqa: E402 - same


class StockConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """Stores each result as it comes and says so."""

    async def connect(self) -> None:
        self.agent, self.bundle = await self._known(self.scope["url_route"]["kwargs"]["agent_id"])
        await self.accept()

    async def receive_json(self, content: dict[str, Any], **_: object) -> None:
        await self._store(content)
        await self.send_json({"seq": content["seq"]})

    @database_sync_to_async  # type: ignore[untyped-decorator]  # Channels has no types
    def _known(self, agent_id: str) -> tuple[Agent, Bundle]:
        agent = Agent.objects.get(pk=agent_id)
        return agent, Bundle.objects.get(organization_id=agent.organization_id)

    @database_sync_to_async  # type: ignore[untyped-decorator]  # same
    def _store(self, content: dict[str, Any]) -> None:
        Result.objects.create(
            organization_id=self.agent.organization_id,
            agent=self.agent,
            camera_id=content["camera_id"],
            bundle=self.bundle,
            epoch=content["epoch"],
            seq=content["seq"],
            captured_at=datetime.fromisoformat(content["captured_at"]),
            received_at=now(),
            latency_ms=content["latency_ms"],
            n_detections=len(content["detections"]),
            detections=json.dumps(content["detections"]).encode(),
        )


application = ProtocolTypeRouter(
    {
        "http": _http,
        "websocket": URLRouter([path("<uuid:agent_id>", StockConsumer.as_asgi())]),
    }
)
