"""A tier that is somebody else's: any server that speaks the Open Inference Protocol over HTTP.

Triton, OpenVINO Model Server, KServe, or another tier of ours. What its tensors are called is set
in `Names`; what it serves is its own affair, so `serve` only looks whether it is there.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec
import numpy as np

from processing.tier.contract import (
    Answer,
    BadInquiry,
    Capacity,
    Inquiry,
    JudgeFailed,
    ModelStatus,
    Overloaded,
    Serving,
    Timings,
    TooLate,
    UnknownModel,
)
from processing.tier.judging.decoding import Size, read_size
from processing.tier.oip.remote_messages import (
    HEADER_LENGTH,
    Names,
    RemoteAnswer,
    read_remote_answer,
    write_remote_request,
)
from processing.tier.oip.tensors import BadTensor
from processing.vision.detections import Detections
from processing.vision.geometry import clip
from processing.wire.limits import MAX_LABELS

MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
MAX_AT_ONCE: Final = 64
_CONNECT_S: Final = 2.0
_ASK_S: Final = 5.0
_AWAY_RETRY_S: Final = 1.0
_NEWEST: Final = 0.1
"""How much one answer counts in the average of their times."""


class _Metadata(msgspec.Struct):
    name: str
    versions: list[str] = []
    properties: dict[str, str] = {}


@dataclass(slots=True)
class _Flow:
    """How a model's answers come."""

    n_at_once: int = 0
    answer_ms: float = 0.0


class RemoteTier:
    """An `InferenceTier`."""

    def __init__(
        self,
        url: str,
        *,
        bearer: str = "",
        names: Names | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._names = names or Names()
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {bearer}"} if bearer else {},
            limits=httpx.Limits(max_connections=MAX_AT_ONCE),
            transport=transport,
            trust_env=False,
        )
        self._statuses: list[ModelStatus] = []
        self._flows: dict[str, _Flow] = {}
        self._is_draining = False
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    async def submit(self, inquiry: Inquiry) -> Answer:
        """See `InferenceTier`."""
        flow = self._flows.get(inquiry.model)
        if flow is None:
            raise UnknownModel(f"nothing is served as {inquiry.model[:100]}")
        status = next(each for each in self._statuses if each.model == inquiry.model)
        if self._is_draining or self._n_at_once >= MAX_AT_ONCE:
            words = "the tier is stopping" if self._is_draining else "too many pictures are away"
            raise Overloaded(words, retry_after_s=_AWAY_RETRY_S)
        size = read_size(inquiry.picture)
        begun = time.perf_counter()
        flow.n_at_once += 1
        self._is_idle.clear()
        try:
            told = await self._ask(inquiry)
        finally:
            flow.n_at_once -= 1
            if not self._n_at_once:
                self._is_idle.set()
        passed_ms = (time.perf_counter() - begun) * 1000.0
        flow.answer_ms += _NEWEST * (passed_ms - flow.answer_ms)
        return self._answer(status, told, size, passed_ms)

    def capacity(self) -> Sequence[Capacity]:
        """See `InferenceTier`; what the server could do is not known, only what it does."""
        return [
            Capacity(
                model=model,
                n_waiting=flow.n_at_once,
                wait_ms=flow.answer_ms,
                pictures_per_s=1000.0 * MAX_AT_ONCE / flow.answer_ms if flow.answer_ms else 0.0,
            )
            for model, flow in self._flows.items()
        ]

    def models(self) -> Sequence[ModelStatus]:
        """See `InferenceTier`."""
        return list(self._statuses)

    async def serve(self, wanted: Sequence[Serving]) -> None:
        """Look whether the server has what is wanted; it loads and weighs versions itself."""
        self._statuses = [await self._look(serving.model) for serving in wanted]
        self._flows = {
            status.model: self._flows.get(status.model, _Flow())
            for status in self._statuses
            if status.state == "ready"
        }

    async def drain(self, timeout_s: float) -> None:
        """See `InferenceTier`."""
        self._is_draining = True
        try:
            async with asyncio.timeout(timeout_s):
                await self._is_idle.wait()
        except TimeoutError:
            pass
        await self._http.aclose()

    @property
    def _n_at_once(self) -> int:
        return sum(flow.n_at_once for flow in self._flows.values())

    async def _ask(self, inquiry: Inquiry) -> RemoteAnswer:
        version = f"/versions/{inquiry.version}" if inquiry.version else ""
        body, n_header = write_remote_request(inquiry, self._names)
        try:
            async with asyncio.timeout(inquiry.budget_ms / 1000.0):
                response = await self._post(
                    f"/v2/models/{inquiry.model}{version}/infer", body, n_header
                )
        except TimeoutError as error:
            raise TooLate("the server did not answer within the budget") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise Overloaded(f"no answer: {reason}", retry_after_s=_AWAY_RETRY_S) from error
        _check(response, inquiry.model)
        try:
            return read_remote_answer(
                response.content, response.headers.get(HEADER_LENGTH), self._names
            )
        except BadTensor as error:
            raise JudgeFailed(f"the server's answer is none: {error}") from error

    async def _post(self, path: str, body: bytes, n_header: int) -> httpx.Response:
        headers = {
            HEADER_LENGTH: str(n_header),
            "Content-Type": "application/octet-stream",
            "Accept-Encoding": "identity",
        }
        timeout = httpx.Timeout(None, connect=_CONNECT_S)  # the budget bounds the rest
        async with self._http.stream(
            "POST", path, content=body, headers=headers, timeout=timeout
        ) as response:
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise JudgeFailed(f"the server's answer is above {MAX_ANSWER_BYTES} bytes")
        return httpx.Response(
            response.status_code, headers=response.headers, content=bytes(content)
        )

    async def _look(self, model: str) -> ModelStatus:
        try:
            response = await self._http.get(f"/v2/models/{model}", timeout=_ASK_S)
            if response.status_code != 200:  # noqa: PLR2004  # HTTP's own number
                reason = f"the server answers {response.status_code} for {model}"
                return ModelStatus(
                    model=model, digest="", name=model, state="failed", reason=reason
                )
            told = msgspec.json.decode(response.content, type=_Metadata)
        except (httpx.HTTPError, msgspec.DecodeError, UnicodeDecodeError) as error:
            reason = f"the server does not answer: {str(error) or type(error).__name__}"
            return ModelStatus(model=model, digest="", name=model, state="failed", reason=reason)
        labels = told.properties.get("labels", "")
        return ModelStatus(
            model=model,
            digest=told.versions[-1] if told.versions else "",
            name=told.name,
            state="ready",
            labels=tuple(labels.split("\n")) if labels else self._names.labels,
        )

    def _answer(
        self, status: ModelStatus, told: RemoteAnswer, size: Size, passed_ms: float
    ) -> Answer:
        return Answer(
            found=_found(told, size, are_shares=self._names.are_shares),
            width=size.width,
            height=size.height,
            version=told.version or status.digest,
            labels=_labels_for(told, status.labels),
            timings=Timings(waited_ms=0.0, decode_ms=0.0, infer_ms=passed_ms),
        )


def _found(told: RemoteAnswer, size: Size, *, are_shares: bool) -> Detections:
    scale = np.array((size.width, size.height) * 2 if are_shares else (1.0,) * 4, np.float32)
    boxes = told.boxes * scale
    return Detections(clip(boxes, width=size.width, height=size.height), told.scores, told.labels)


def _labels_for(told: RemoteAnswer, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return a name for every number that came; the server need not have said them all."""
    n = int(told.labels.max(initial=-1)) + 1
    if n > MAX_LABELS:
        raise JudgeFailed(f"the server's answer has a label {n - 1}")
    return (*known, *(f"class {number}" for number in range(len(known), n)))


def _check(response: httpx.Response, model: str) -> None:
    """Raise the refusal that a status is."""
    match response.status_code:
        case 200:
            return
        case 404:
            raise UnknownModel(f"the server does not serve {model}")
        case 400 | 413 | 415 | 422:
            raise BadInquiry(_reason(response))
        case 429 | 503:
            raise Overloaded(_reason(response), retry_after_s=_retry_after_s(response))
        case 408 | 504:
            raise TooLate(_reason(response))
        case status:
            raise JudgeFailed(f"the server answers {status}: {_reason(response)}")


def _reason(response: httpx.Response) -> str:
    try:
        told: Any = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = None
    error = told.get("error") if isinstance(told, dict) else None
    return error[:500] if isinstance(error, str) else "it does not say why"


def _retry_after_s(response: httpx.Response) -> float:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else _AWAY_RETRY_S  # noqa: PLR2004  # a day at most
