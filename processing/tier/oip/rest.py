"""The protocol over REST: health, metadata, inference, and Triton's extensions that tools use."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from processing.tier.front.answers import error_response, json_response
from processing.tier.front.bodies import Bodies
from processing.tier.front.door import Door
from processing.tier.front.http_server import watch_of
from processing.tier.front.refusals import REFUSALS, Refusal, refusal_of
from processing.tier.hub.credentials import bearer_of
from processing.tier.oip import metadata
from processing.tier.oip.infer import infer
from processing.tier.oip.rest_messages import read_request, write_answer
from processing.tier.oip.signature import MAX_REQUEST_BYTES
from processing.tier.oip.tensors import BadTensor
from processing.wire.tier import Grant, Scope
from processing.wire.version import VERSION

HEADER_LENGTH: Final = "Inference-Header-Content-Length"
_MAX_INDEX_BYTES: Final = 64 * 1024
_WORTH_PACKING: Final = 1400
"""Bytes; what fits into a packet is not packed."""
_ON_THE_LOOP: Final = 256 * 1024
"""Larger requests are read, and larger answers packed, on a thread."""
_WINDOWS: Final = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_READ_ONLY: Final = "what is served is set at the hub: this repository is read-only"
_NOT_OFFERED: Final = "this server does not offer that extension"

Handler = Callable[[Request], Awaitable[Response]]


class _IndexAsked(msgspec.Struct):
    ready: bool = False


class RestRoutes:
    """All under `/v2`."""

    def __init__(self, door: Door, bodies: Bodies) -> None:
        self._door = door
        self._bodies = bodies

    def routes(self) -> list[Route]:
        """Return them."""
        get, post = ["GET"], ["POST"]
        routes = [
            Route("/v2", _told(self._server), methods=get),
            Route("/v2/", _told(self._server), methods=get),
            Route("/v2/health/live", self._live, methods=get),
            Route("/v2/health/ready", self._ready, methods=get),
            Route("/v2/repository/index", _told(self._index), methods=post),
            Route("/v2/models/stats", _told(self._all_stats), methods=get),
        ]
        for stem in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
            routes += [
                Route(stem, _told(self._model), methods=get),
                Route(f"{stem}/ready", _told(self._model_ready), methods=get),
                Route(f"{stem}/config", _told(self._config), methods=get),
                Route(f"{stem}/stats", _told(self._stats), methods=get),
                Route(f"{stem}/infer", _told(self._infer), methods=post),
                Route(f"{stem}/trace/setting", _refused(_NOT_OFFERED), methods=[*get, *post]),
            ]
        return [
            *routes,
            Route("/v2/repository/models/{rest:path}", _refused(_READ_ONLY), methods=post),
            Route("/v2/{rest:path}", _refused(_NOT_OFFERED), methods=[*get, *post]),
        ]

    async def _live(self, _request: Request) -> Response:
        return json_response({"live": True})

    async def _ready(self, _request: Request) -> Response:
        is_ready = self._door.is_ready()
        return json_response({"ready": is_ready}, 200 if is_ready else 503)

    async def _server(self, request: Request) -> Response:
        await self._admit(request, "models")
        return json_response(
            {
                "name": metadata.SERVER_NAME,
                "version": VERSION,
                "extensions": metadata.EXTENSIONS,
            }
        )

    async def _model(self, request: Request) -> Response:
        await self._admit(request, "models")
        return json_response(metadata.model_metadata(self._door.statuses(*_names(request))))

    async def _model_ready(self, request: Request) -> Response:
        await self._admit(request, "models")
        statuses = self._door.statuses(*_names(request))
        is_ready = any(status.state == "ready" for status in statuses)
        return json_response(
            {"name": statuses[0].model, "ready": is_ready}, 200 if is_ready else 503
        )

    async def _config(self, request: Request) -> Response:
        await self._admit(request, "models")
        return json_response(metadata.model_config(self._door.statuses(*_names(request))))

    async def _stats(self, request: Request) -> Response:
        await self._admit(request, "models")
        return self._stats_of(*_names(request))

    async def _all_stats(self, request: Request) -> Response:
        await self._admit(request, "models")
        statuses = self._door.tier.models()
        tallies = [self._door.tally(each.model, each.digest) for each in statuses]
        return json_response(metadata.model_stats(statuses, tallies))

    def _stats_of(self, model: str, version: str) -> Response:
        statuses = self._door.statuses(model, version)
        tallies = [self._door.tally(each.model, each.digest) for each in statuses]
        return json_response(metadata.model_stats(statuses, tallies))

    async def _index(self, request: Request) -> Response:
        await self._admit(request, "models")
        async with self._bodies.reading(request, _MAX_INDEX_BYTES) as body:
            try:
                asked = msgspec.json.decode(body or b"{}", type=_IndexAsked)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise BadTensor(f"the request is not one: {error}") from error
        index = metadata.repository_index(self._door.tier.models(), only_ready=asked.ready)
        return json_response(index)

    async def _infer(self, request: Request) -> Response:
        grant = await self._admit(request, "detect")
        model, version = _names(request)
        async with self._bodies.reading(request, MAX_REQUEST_BYTES) as body:
            said = request.headers.get(HEADER_LENGTH)
            if len(body) > _ON_THE_LOOP:
                given = await asyncio.to_thread(read_request, model, version, body, said)
            else:
                given = read_request(model, version, body, said)
            with watch_of(request).working():
                told = await infer(self._door, grant, given.asked)
        content, n_header = write_answer(told, given.binary_outputs)
        headers: dict[str, str] = {}
        media_type = "application/json"
        if n_header is not None:
            headers[HEADER_LENGTH] = str(n_header)
            media_type = "application/octet-stream"
        packing = _packing(request)
        if packing and len(content) >= _WORTH_PACKING:
            headers["Content-Encoding"] = packing
            if len(content) > _ON_THE_LOOP:
                content = await asyncio.to_thread(_packed, content, packing)
            else:
                content = _packed(content, packing)
        return Response(content, headers=headers, media_type=media_type)

    async def _admit(self, request: Request, scope: Scope) -> Grant:
        return await self._door.admit(bearer_of(request.headers.get("authorization", "")), scope)


def _names(request: Request) -> tuple[str, str]:
    return request.path_params["model"], request.path_params.get("version", "")


def _packing(request: Request) -> str:
    accepted = request.headers.get("accept-encoding", "").lower()
    return next(
        (name for name in _WINDOWS if name in accepted and f"{name};q=0" not in accepted), ""
    )


def _packed(content: bytes, packing: str) -> bytes:
    packer = zlib.compressobj(level=1, wbits=_WINDOWS[packing])
    return packer.compress(content) + packer.flush()


def _told(handler: Handler) -> Handler:
    """Answer refusals as the protocol has them."""

    async def answering(request: Request) -> Response:
        try:
            return await handler(request)
        except BadTensor as error:
            return error_response(Refusal(HTTPStatus.BAD_REQUEST, str(error)))
        except REFUSALS as error:
            return error_response(refusal_of(error))

    return answering


def _refused(words: str) -> Handler:
    async def refusing(_request: Request) -> Response:
        return error_response(Refusal(HTTPStatus.NOT_FOUND, words))

    return refusing
