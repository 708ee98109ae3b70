"""Bodies of requests, read from disk piece by piece, as an application asks for them.

Daphne keeps a large body in a file, as it should, and then puts all of it into a queue in memory at
once. So it is handed an empty file, and the application gets the real one, through `receive`.
"""

from contextlib import closing
from typing import IO, Final

from asgiref.typing import ASGIReceiveCallable, ASGIReceiveEvent, ASGISendCallable, HTTPScope

from webapp.common.request_limits import COUNTED, Application

BODY: Final = "farwatch.body"
"""In the scope: the file with the request's body, at its beginning."""
PIECE_BYTES: Final = 64 * 1024


def feed_bodies(application: Application) -> Application:
    """Wrap an application: where the scope has a `BODY`, that is what it receives."""

    async def fed(scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        scope[COUNTED] = True  # type: ignore[typeddict-unknown-key]  # ours, not ASGI's
        body: IO[bytes] | None = scope.pop(BODY, None)  # type: ignore[typeddict-item]  # ours, not ASGI's
        if body is None:
            await application(scope, receive, send)
            return
        with closing(body):
            await application(scope, _Fed(body, receive).receive, send)

    return fed


class _Fed:
    """Gives the pieces of a file, then whatever the server has to say."""

    def __init__(self, body: IO[bytes], receive: ASGIReceiveCallable) -> None:
        self._body = body
        self._receive = receive
        self._is_whole = False

    async def receive(self) -> ASGIReceiveEvent:
        if self._is_whole:
            return await self._receive()
        piece = self._body.read(PIECE_BYTES)
        if len(piece) == PIECE_BYTES:
            return {"type": "http.request", "body": piece, "more_body": True}
        self._is_whole = True
        await self._receive()  # the empty body that the server believes in
        return {"type": "http.request", "body": piece, "more_body": False}
