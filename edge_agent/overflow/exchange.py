"""One picture to the tier, one answer back."""

import time
from typing import Final

import httpx
import msgspec

from edge_agent.overflow.access import Ticket
from processing.wire.tier import Judged

_MAX_ANSWER_BYTES: Final = 256 * 1024
_REST_S: Final = 1.0
_MOST_REST_S: Final = {429: 30.0, 503: 4.0}
"""A tier that is away may be back sooner than it thinks; one that has limits knows them."""
_BAD_TOKEN: Final = frozenset({401, 403})
_LATE: Final = frozenset({408, 504})
_PROBE_S: Final = 1.0
_LEAST_S: Final = 0.02
_TOO_SLOW: Final = "the cloud does not answer in time"


class Away(Exception):
    """The tier cannot be reached, or is broken; the text says how."""


class Silent(Away):
    """Nothing came back in time."""


class Declined(Exception):
    """The tier will not judge this picture; the text says why."""

    def __init__(self, message: str, *, concerns_all: bool, rest_s: float) -> None:
        """Nothing more of the camera, or of all, is to be sent before `rest_s`."""
        super().__init__(message)
        self.concerns_all: Final = concerns_all
        self.rest_s: Final = rest_s


class OutOfTime(Exception):
    """The tier says that it cannot be judged within its budget."""


def open_client(n_connections: int) -> httpx.Client:
    """Return what talks to the tier, from any thread."""
    limits = httpx.Limits(
        max_connections=n_connections + 1, max_keepalive_connections=n_connections + 1
    )
    return httpx.Client(trust_env=False, limits=limits)


def ask(
    client: httpx.Client, ticket: Ticket, jpeg: bytes, *, model: str, sticky: str, left_s: float
) -> Judged:
    """Return what is in the picture. Raise `Away`, `Declined` or `OutOfTime`."""
    if left_s < _LEAST_S:
        raise OutOfTime("its budget was used up before it could be sent")
    deadline = time.monotonic() + left_s
    asked = {"budget_ms": f"{left_s * 1000:.0f}", "sticky": sticky}
    if model := model or ticket.model:
        asked["model"] = model
    try:
        with client.stream(
            "POST",
            f"{ticket.url}/api/v1/detect/",
            params=asked,
            content=jpeg,
            headers={
                "Authorization": f"Bearer {ticket.token}",
                "Content-Type": "image/jpeg",
                "Accept": "application/msgpack",
                "Accept-Encoding": "identity",
            },
            timeout=left_s,
        ) as answer:
            content = _read(answer, deadline)
    except httpx.TimeoutException as error:
        raise Silent(_TOO_SLOW) from error
    except (httpx.RequestError, httpx.StreamError) as error:
        raise Away(f"the cloud cannot be reached ({type(error).__name__})") from error
    if answer.status_code != httpx.codes.OK:
        raise _refusal(answer, content)
    try:
        return msgspec.msgpack.decode(content, type=Judged)
    except msgspec.DecodeError as error:
        raise Away(f"what answers is no inference tier: {error}") from error


def is_well(client: httpx.Client, url: str) -> bool:
    """Return whether the tier says that it is ready."""
    try:
        with client.stream("GET", f"{url}/v2/health/ready", timeout=_PROBE_S) as answer:
            return answer.is_success  # whatever else it says is not read
    except httpx.RequestError:
        return False


def _read(answer: httpx.Response, deadline: float) -> bytes:
    content = b""
    for chunk in answer.iter_bytes():
        content += chunk
        if time.monotonic() > deadline:  # the timeout is of each piece, not of all
            raise Silent(_TOO_SLOW)
        if len(content) > _MAX_ANSWER_BYTES:
            raise Away(f"the cloud answers with more than {_MAX_ANSWER_BYTES} bytes")
    return content


def _refusal(answer: httpx.Response, content: bytes) -> Away | Declined | OutOfTime:
    status, words = answer.status_code, _words(content)
    if status in _LATE:
        return OutOfTime(words or "the cloud has no time for it")
    if status in _MOST_REST_S:
        rest_s = min(_seconds(answer.headers.get("Retry-After", "")), _MOST_REST_S[status])
        return Declined(
            f"the cloud asks to wait: {words or status}", concerns_all=True, rest_s=rest_s
        )
    if status in _BAD_TOKEN:
        words = "the cloud does not take this agent's token"
        return Declined(words, concerns_all=True, rest_s=_MOST_REST_S[503])
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return Away(f"the cloud is broken ({status})")
    return Declined(
        f"the cloud will not judge it: {words or status}",
        concerns_all=False,
        rest_s=_MOST_REST_S[503],
    )


def _seconds(text: str) -> float:
    try:
        return max(_REST_S, float(text))
    except ValueError:
        return _REST_S


class _Problem(msgspec.Struct):
    detail: str = ""
    title: str = ""


def _words(content: bytes) -> str:
    """Return what a problem+json says."""
    try:
        problem = msgspec.json.decode(content, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return (problem.detail or problem.title)[:200]
