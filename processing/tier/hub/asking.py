"""Asks the hub: what a bearer may do, and what is to be served."""

from typing import Final, TypeVar

import httpx
import msgspec

from processing.wire.tier import Grant, GrantAsked, TierReport, TierWanted

MAX_ANSWER_BYTES: Final = 1024 * 1024
_CONNECT_S: Final = 2.0
_ANSWER_S: Final = 5.0
_MAX_CONNECTIONS: Final = 16

T = TypeVar("T")


class HubAway(Exception):
    """The hub does not answer, or not as a hub does; the text says how."""


class HubClient:
    """Speaks to one hub, with the tier's own token. Its methods raise `HubAway`."""

    def __init__(
        self, url: str, token: str, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            limits=httpx.Limits(max_connections=_MAX_CONNECTIONS),
            transport=transport,
            trust_env=False,  # what the environment names as proxy is not told our tokens
        )

    async def ask(self, bearer: str) -> Grant | None:
        """Return what the bearer may do; None if the hub knows none."""
        try:
            asked = msgspec.json.encode(GrantAsked(bearer=bearer))
            return await self._post("/api/v1/tier/grants/", asked, Grant)
        except _Unknown:
            return None

    async def report(self, body: bytes) -> TierWanted:
        """Send an encoded `TierReport`; return what is to be served."""
        try:
            return await self._post("/api/v1/tier/reports/", body, TierWanted)
        except _Unknown as error:
            raise HubAway("the hub has no place for a tier's reports: is it older?") from error

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def _post(self, path: str, body: bytes, type_: type[T]) -> T:
        try:
            async with self._http.stream("POST", path, content=body) as response:
                content = await _bounded(response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise HubAway(
                f"the hub does not answer: {str(error) or type(error).__name__}"
            ) from error
        match response.status_code:
            case 200:
                pass
            case 404:
                raise _Unknown
            case 401 | 403:
                raise HubAway("the hub does not know this tier: is its token the hub's?")
            case status:
                raise HubAway(f"the hub answers {status}")
        try:
            return msgspec.json.decode(content, type=type_)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise HubAway(f"the hub's answer is none: {error}") from error


class _Unknown(Exception):
    """404."""


async def _bounded(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise HubAway(f"the hub's answer is larger than {MAX_ANSWER_BYTES} bytes")
    return bytes(content)


def encoded(report: TierReport) -> bytes:
    """Return a report as the hub reads it."""
    return msgspec.json.encode(report)
