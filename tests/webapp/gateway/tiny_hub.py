"""`HubServer` with an application that says how much came: `tiny_hub.py PORT BODY_TIMEOUT_S`."""

import sys
from typing import Any

from webapp.env import default_settings_module

default_settings_module()

from webapp.asgi import application as _hub  # noqa: E402, F401 - sets Django up
from webapp.gateway import server  # noqa: E402 - after the settings are named


async def count(scope: Any, receive: Any, send: Any) -> None:
    n_bytes, is_whole = 0, False
    while not is_whole:
        event = await receive()
        n_bytes += len(event["body"])
        is_whole = not event.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(n_bytes).encode()})


async def nothing() -> None:
    pass


if __name__ == "__main__":
    server.LimitedRequest.timeout_s = float(sys.argv[2])
    server.HubServer(
        count,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        when_listening=lambda *_: print("listening", flush=True),  # noqa: T201 - its test waits
        before_stop=nothing,
    ).serve()
