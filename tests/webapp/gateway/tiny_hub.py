"""A server with an application that says how much came: `tiny_hub.py SERVER PORT TIMEOUT_S`."""

import sys
from typing import Any

from webapp.env import default_settings_module

default_settings_module()

from webapp.asgi import application as _hub  # noqa: E402, F401 - sets Django up
from webapp.common import request_limits  # noqa: E402 - after the settings are named
from webapp.gateway import server, uvicorn_server  # noqa: E402 - same
from webapp.gateway.addresses import Address  # noqa: E402 - same


async def count(scope: Any, receive: Any, send: Any) -> None:
    n_bytes, is_whole = 0, False
    while not is_whole:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        n_bytes += len(event["body"])
        is_whole = not event.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(n_bytes).encode()})


async def nothing() -> None:
    pass


def main(name: str, port: int, timeout_s: float) -> None:
    request_limits.BODY_TIMEOUT_S = timeout_s  # type: ignore[misc]  # sooner than for people
    server.LimitedRequest.timeout_s = timeout_s
    uvicorn_server.LimitedHttp.head_timeout_s = timeout_s
    is_uvicorn = name == "uvicorn"
    make = uvicorn_server.UvicornServer if is_uvicorn else server.HubServer
    make(
        request_limits.limit_requests(count) if is_uvicorn else count,
        address=Address(port=port),
        when_listening=lambda _: print("listening", flush=True),  # noqa: T201 - its test waits
        when_told_to_stop=lambda: None,
        before_stop=nothing,
    ).listen_and_serve()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
