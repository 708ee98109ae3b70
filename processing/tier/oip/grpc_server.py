"""Serves gRPC: limits, who calls, and gRPC's names for refusals."""

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeAlias, TypeVar

import grpc
import structlog
from google.protobuf.message import DecodeError, Message

from processing.tier.contract import MAX_BUDGET_MS
from processing.tier.front.bodies import BODY_TIMEOUT_S, Bodies, TooSlow
from processing.tier.front.door import Door
from processing.tier.front.refusals import REFUSALS, Refusal, refusal_of
from processing.tier.hub.credentials import bearer_of
from processing.tier.oip import open_inference_pb2 as pb
from processing.tier.oip.grpc_service import Caller, GrpcService
from processing.tier.oip.signature import MAX_REQUEST_BYTES
from processing.tier.oip.tensors import BadTensor
from processing.wire.tier import Scope

SERVICE: Final = "inference.GRPCInferenceService"
MAX_CALLS: Final = 128
"""At once; more are refused with RESOURCE_EXHAUSTED."""
MAX_RECEIVING: Final = 32
"""Messages of those who were let in; how large one is, gRPC says when it is here whole."""
_ROOM_BYTES: Final = 64 * 1024
"""For what a request holds beside its tensors."""
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES + _ROOM_BYTES),
    ("grpc.max_send_message_length", MAX_REQUEST_BYTES + _ROOM_BYTES),
    ("grpc.max_metadata_size", 32 * 1024),
    ("grpc.so_reuseport", 0),
)
_BY_STATUS: Final = {
    HTTPStatus.UNAUTHORIZED: grpc.StatusCode.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    HTTPStatus.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS: grpc.StatusCode.RESOURCE_EXHAUSTED,
    HTTPStatus.SERVICE_UNAVAILABLE: grpc.StatusCode.RESOURCE_EXHAUSTED,
    HTTPStatus.REQUEST_TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
    HTTPStatus.GATEWAY_TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
}
_BY_CODE: Final = {
    "hub-away": grpc.StatusCode.UNAVAILABLE,
    "failed": grpc.StatusCode.INTERNAL,
}

log = structlog.get_logger()
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
Messages: TypeAlias = AsyncIterable[Q | None]
"""As they come; None is none of ours."""


@contextlib.asynccontextmanager
async def serving_grpc(
    door: Door, bodies: Bodies, *, host: str, port: int, grace_s: float
) -> AsyncIterator[None]:
    """Serve inside the block; port 0 is not at all. Raise `OSError` if the port is not ours."""
    if port == 0:
        yield
        return
    server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=MAX_CALLS)
    server.add_generic_rpc_handlers((_handler(Calls(door), GrpcService(door, bodies)),))
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"{address} cannot be listened at: set FARWATCH_TIER_GRPC_PORT") from error
    await server.start()
    log.info("tier.listening.grpc", address=address)
    try:
        yield
    finally:
        await server.stop(grace_s)


class Calls:
    """Lets callers in before anything of their message is taken in: strangers fill no memory."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._receiving = asyncio.Semaphore(MAX_RECEIVING)

    def method(
        self, answer: Callable[[Q, Caller], Awaitable[A]], asked: type[Q], scope: Scope
    ) -> grpc.RpcMethodHandler:
        """Return a method for those whose key has this scope."""

        async def answered(messages: Messages[Q], context: grpc.aio.ServicerContext) -> A:
            grant = await self._door.admit(_bearer(context), scope)
            request = await self._received(messages)
            return await answer(request, Caller(grant, _most_ms(context)))

        return _handling(answered, asked)

    async def _received(self, messages: Messages[Q]) -> Q:
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S), self._receiving:
                message = await anext(aiter(messages), None)
        except TimeoutError as error:
            text = f"the message did not come whole within {BODY_TIMEOUT_S:.0f} s"
            raise TooSlow(text) from error
        if message is None:
            raise BadTensor("the message is none of ours")
        return message


def _handler(calls: Calls, service: GrpcService) -> grpc.GenericRpcHandler:
    """Return all methods; what is not among them is UNIMPLEMENTED."""
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "ServerLive": _for_everybody(service.live, pb.ServerLiveRequest),
            "ServerReady": _for_everybody(service.ready, pb.ServerReadyRequest),
            "ServerMetadata": calls.method(service.server, pb.ServerMetadataRequest, "models"),
            "ModelReady": calls.method(service.model_ready, pb.ModelReadyRequest, "models"),
            "ModelMetadata": calls.method(service.model, pb.ModelMetadataRequest, "models"),
            "ModelConfig": calls.method(service.config, pb.ModelConfigRequest, "models"),
            "ModelStatistics": calls.method(
                service.statistics, pb.ModelStatisticsRequest, "models"
            ),
            "RepositoryIndex": calls.method(service.index, pb.RepositoryIndexRequest, "models"),
            "ModelInfer": calls.method(service.infer, pb.ModelInferRequest, "detect"),
        },
    )


def _for_everybody(answer: Callable[[], Awaitable[A]], asked: type[Q]) -> grpc.RpcMethodHandler:
    async def answered(_messages: Messages[Q], _context: grpc.aio.ServicerContext) -> A:
        return await answer()  # the message, which says nothing, is not even taken in

    return _handling(answered, asked)


def _handling(
    answer: Callable[[Messages[Q], grpc.aio.ServicerContext], Awaitable[A]], asked: type[Q]
) -> grpc.RpcMethodHandler:
    """Return a method that refuses as gRPC does.

    Of a stream, which on the wire is what a single message is: those are taken in when asked for.
    """

    async def answering(messages: Messages[Q], context: grpc.aio.ServicerContext) -> A:
        try:
            return await answer(messages, context)
        except BadTensor as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except REFUSALS as error:
            refusal = refusal_of(error)
            if refusal.retry_after_s is not None:
                context.set_trailing_metadata((("retry-after", str(refusal.retry_after_s)),))
            await context.abort(_code(refusal), refusal.text)
        raise AssertionError("abort raises")

    return grpc.stream_unary_rpc_method_handler(
        answering,
        request_deserializer=lambda message: _read(message, asked),
        response_serializer=lambda told: told.SerializeToString(),
    )


def _read(message: bytes, type_: type[Q]) -> Q | None:
    """Return the message; None for one that is none, which gRPC would call a failure of ours."""
    try:
        return type_.FromString(message)
    except DecodeError:
        return None


def _bearer(context: grpc.aio.ServicerContext) -> str:
    authorization = next(
        (value for name, value in context.invocation_metadata() or () if name == "authorization"),
        "",
    )
    return bearer_of(authorization if isinstance(authorization, str) else "")


def _most_ms(context: grpc.aio.ServicerContext) -> float:
    left_s = context.time_remaining()
    return MAX_BUDGET_MS if left_s is None else max(0.0, min(MAX_BUDGET_MS, left_s * 1000.0))


def _code(refusal: Refusal) -> grpc.StatusCode:
    by_status = _BY_STATUS.get(refusal.status, grpc.StatusCode.INVALID_ARGUMENT)
    return _BY_CODE.get(refusal.code, by_status)
