"""A server with an application that has much to say: `talking_hub.py PORT SERVER [STALL_S]`.

`/all` says all piece by piece, `/broken` breaks off half way. `/whole` says something at once,
`/late` breaks off after it. `/said` says, after a moment, how much was said so far.
"""

import asyncio
import sys
from typing import Any

from webapp.env import default_settings_module

default_settings_module()

from webapp.asgi import application as _hub  # noqa: E402, F401 - sets Django up
from webapp.gateway import server, uvicorn_server  # noqa: E402 - after the settings are named
from webapp.gateway.addresses import Address  # noqa: E402 - same
from webapp.gateway.daphne_answers import STALL_TIMEOUT_S  # noqa: E402 - same

PIECE = b"x" * 2**16
N_PIECES = 1024
WHOLE = PIECE * 16
_n_said = 0


async def talk(scope: Any, receive: Any, send: Any) -> None:
    global _n_said  # noqa: PLW0603 - of this program
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/said":
        await asyncio.sleep(0.05)  # who asks again and again costs memory, too
        await send({"type": "http.response.body", "body": str(_n_said).encode()})
        return
    if scope["path"] in {"/whole", "/late"}:
        await send({"type": "http.response.body", "body": WHOLE})
        _n_said += len(WHOLE)
        if scope["path"] == "/late":
            raise RuntimeError("something broke")
        return
    for n in range(N_PIECES):
        if scope["path"] == "/broken" and n == N_PIECES // 2:
            raise RuntimeError("something broke")
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
        _n_said += len(PIECE)
    await send({"type": "http.response.body"})


async def nothing() -> None:
    pass


def main(port: int, name: str, stall_s: float = STALL_TIMEOUT_S) -> None:
    server.ANSWER_TIMEOUT_S = 1  # type: ignore[misc]  # sooner than for people
    server.LimitedRequest.stall_timeout_s = stall_s
    make = uvicorn_server.UvicornServer if name == "uvicorn" else server.HubServer
    make(
        talk,
        address=Address(port=port),
        when_listening=lambda _: print("listening", flush=True),  # noqa: T201 - its test waits
        when_told_to_stop=lambda: None,
        before_stop=nothing,
    ).listen_and_serve()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], *map(float, sys.argv[3:]))
