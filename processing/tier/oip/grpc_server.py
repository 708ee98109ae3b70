"""Serves gRPC: limits, who calls, and gRPC's names for refusals."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeVar

import grpc
import structlog
from google.protobuf.message import DecodeError, Message

from processing.tier.contract import MAX_BUDGET_MS
from processing.tier.front.bodies import Bodies
from processing.tier.front.door import Door
from processing.tier.front.refusals import REFUSALS, Refusal, refusal_of
from processing.tier.hub.credentials import bearer_of
from processing.tier.oip import open_inference_pb2 as pb
from processing.tier.oip.grpc_service import Caller, GrpcService
from processing.tier.oip.signature import MAX_REQUEST_BYTES
from processing.tier.oip.tensors import BadTensor

SERVICE: Final = "inference.GRPCInferenceService"
MAX_CALLS: Final = 128
"""At once; more are refused with RESOURCE_EXHAUSTED."""
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
    HTTPStatus.GATEWAY_TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
}
_BY_CODE: Final = {
    "hub-away": grpc.StatusCode.UNAVAILABLE,
    "failed": grpc.StatusCode.INTERNAL,
}

log = structlog.get_logger()
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


@contextlib.asynccontextmanager
async def serving_grpc(
    door: Door, bodies: Bodies, *, host: str, port: int, grace_s: float
) -> AsyncIterator[None]:
    """Serve inside the block; port 0 is not at all. Raise `OSError` if the port is not ours."""
    if port == 0:
        yield
        return
    server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=MAX_CALLS)
    server.add_generic_rpc_handlers((_handler(GrpcService(door, bodies)),))
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


def _handler(service: GrpcService) -> grpc.GenericRpcHandler:
    """Return all methods; what is not among them is UNIMPLEMENTED."""
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "ServerLive": _method(service.live, pb.ServerLiveRequest),
            "ServerReady": _method(service.ready, pb.ServerReadyRequest),
            "ServerMetadata": _method(service.server, pb.ServerMetadataRequest),
            "ModelReady": _method(service.model_ready, pb.ModelReadyRequest),
            "ModelMetadata": _method(service.model, pb.ModelMetadataRequest),
            "ModelConfig": _method(service.config, pb.ModelConfigRequest),
            "ModelStatistics": _method(service.statistics, pb.ModelStatisticsRequest),
            "RepositoryIndex": _method(service.index, pb.RepositoryIndexRequest),
            "ModelInfer": _method(service.infer, pb.ModelInferRequest),
        },
    )


def _method(answer: Callable[[Q, Caller], Awaitable[A]], asked: type[Q]) -> grpc.RpcMethodHandler:
    async def answering(request: Q | None, context: grpc.aio.ServicerContext) -> A:
        if request is None:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the message is none of ours")
            raise AssertionError("abort raises")
        try:
            return await answer(request, _caller(context))
        except BadTensor as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except REFUSALS as error:
            refusal = refusal_of(error)
            if refusal.retry_after_s is not None:
                context.set_trailing_metadata((("retry-after", str(refusal.retry_after_s)),))
            await context.abort(_code(refusal), refusal.text)
        raise AssertionError("abort raises")

    return grpc.unary_unary_rpc_method_handler(
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


def _caller(context: grpc.aio.ServicerContext) -> Caller:
    authorization = next(
        (value for name, value in context.invocation_metadata() or () if name == "authorization"),
        "",
    )
    left_s = context.time_remaining()
    return Caller(
        bearer=bearer_of(authorization if isinstance(authorization, str) else ""),
        most_ms=MAX_BUDGET_MS if left_s is None else max(0.0, min(MAX_BUDGET_MS, left_s * 1000.0)),
    )


def _code(refusal: Refusal) -> grpc.StatusCode:
    by_status = _BY_STATUS.get(refusal.status, grpc.StatusCode.INVALID_ARGUMENT)
    return _BY_CODE.get(refusal.code, by_status)
