"""Serves `/metrics` and `/healthz` to this machine only: a GET, one answer, and it is over."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, NamedTuple, Protocol

import structlog

from edge_agent.metrics.text import CONTENT_TYPE

_HOST: Final = "127.0.0.1"
_MAX_REQUEST_BYTES: Final = 8192
_REQUEST_S: Final = 5.0
_MAX_CONNECTIONS: Final = 8
_PROBLEM: Final = "metrics"
_OWN_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
"""Any other name in a request is a web page that had its own name resolve to this machine."""

_REASONS: Final = {
    200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    503: "Service Unavailable",
}  # fmt: skip

log = structlog.get_logger()


class Problems(Protocol):
    """Tells people what is wrong, until it is not."""

    def problem(self, key: str, text: str) -> None: ...

    def solved(self, key: str) -> None: ...


class _Answer(NamedTuple):
    status: int
    text: str
    content_type: str = "text/plain; charset=utf-8"


class MetricsServer:
    """Answers with what it is given to ask."""

    def __init__(
        self, *, page: Callable[[], Awaitable[str]], troubles: Callable[[], Sequence[str]]
    ) -> None:
        """`page` makes `/metrics`; `troubles` says what keeps the agent from being alive."""
        self._page = page
        self._troubles = troubles
        self._open: set[asyncio.StreamWriter] = set()

    @contextlib.asynccontextmanager
    async def serving(self, port: int, problems: Problems) -> AsyncIterator[int]:
        """Serve inside the block; yield the port, or 0 if nothing is served.

        `port` 0 means not at all. A port that another program has is told as a problem, and the
        agent goes on without: nobody's cameras depend on it.
        """
        if port == 0:
            yield 0
            return
        try:
            server = await asyncio.start_server(self._serve, _HOST, port, limit=_MAX_REQUEST_BYTES)
        except OSError as error:
            problems.problem(
                _PROBLEM,
                f"metrics cannot be served on port {port} of this machine ({error.strerror}): "
                "is another agent running here? Set FARWATCH_METRICS_PORT, 0 turns them off",
            )
            yield 0
            return
        problems.solved(_PROBLEM)
        log.info("metrics.served", url=f"http://{_HOST}:{port}/metrics")
        try:
            yield port
        finally:
            server.close()
            for writer in self._open:
                writer.transport.abort()
            await asyncio.sleep(0)  # so that those who were served notice, and end

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if len(self._open) <= _MAX_CONNECTIONS:
                async with asyncio.timeout(_REQUEST_S):
                    request = await reader.readuntil(b"\r\n\r\n")
                    writer.write(_as_bytes(await self._answer(request)))
                    await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # whoever asks so slowly, so much or not to the end gets no answer
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, request: bytes) -> _Answer:
        lines = request.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004  # RFC 9112, 3
            return _Answer(400, "this speaks HTTP/1.1\n")
        if not _is_for_us(lines[1:]):
            return _Answer(403, "ask by the name localhost\n")
        if words[0] != "GET":
            return _Answer(405, "only GET\n")
        match words[1].partition("?")[0]:
            case "/metrics":
                return _Answer(200, await self._page(), CONTENT_TYPE)
            case "/healthz":
                troubles = self._troubles()
                return _Answer(503 if troubles else 200, "\n".join(troubles or ["ok"]) + "\n")
            case _:
                return _Answer(404, "there are /metrics and /healthz\n")


def _is_for_us(headers: Sequence[str]) -> bool:
    hosts = [line[5:].strip().lower() for line in headers if line.lower().startswith("host:")]
    if not hosts:
        return True  # HTTP/1.0 has none, and no browser leaves it out
    names = [host if host.endswith("]") else host.rpartition(":")[0] or host for host in hosts]
    return all(name in _OWN_NAMES for name in names)


def _as_bytes(answer: _Answer) -> bytes:
    body = answer.text.encode()
    head = (
        f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("latin-1") + body
