"""What every refusal is called over HTTP; gRPC's names for them are in `oip.grpc_service`."""

import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from processing.tier.contract import (
    BadInquiry,
    JudgeFailed,
    Overloaded,
    Refused,
    TooLate,
    UnknownModel,
)
from processing.tier.front.bodies import BadBody, BadEncoding, TooLarge, TooMany, TooSlow
from processing.tier.front.door import TooMuch
from processing.tier.hub.asking import HubAway
from processing.tier.hub.credentials import NoCredentials, NotAllowed

_AWAY_RETRY_S: Final = 5.0
_BUSY_RETRY_S: Final = 1.0
MAX_RETRY_S: Final = 3600


class BadParameter(Exception):
    """A parameter of the request is not as it must be."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name: Final = name


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a request is refused."""

    status: HTTPStatus
    text: str
    code: str = ""
    """For programs to branch on."""
    parameter: str = ""
    """At fault."""
    retry_after_s: int | None = None
    """Whole seconds, as HTTP has them; at least 1."""


REFUSALS: Final = (
    Refused, NoCredentials, NotAllowed, HubAway, BadParameter, TooLarge, TooSlow, TooMany,
    BadEncoding, BadBody,
)  # fmt: skip
"""All that `refusal_of` knows."""

_KINDS: Final[tuple[tuple[type[Exception], HTTPStatus, str, str], ...]] = (
    (TooMuch, HTTPStatus.TOO_MANY_REQUESTS, "too-much", ""),
    (Overloaded, HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", ""),
    (TooMany, HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", ""),
    (HubAway, HTTPStatus.SERVICE_UNAVAILABLE, "hub-away", ""),
    (JudgeFailed, HTTPStatus.SERVICE_UNAVAILABLE, "failed", ""),
    (NoCredentials, HTTPStatus.UNAUTHORIZED, "no-credentials", ""),
    (NotAllowed, HTTPStatus.FORBIDDEN, "not-allowed", ""),
    (UnknownModel, HTTPStatus.NOT_FOUND, "unknown-model", "model"),
    (TooLate, HTTPStatus.GATEWAY_TIMEOUT, "late", ""),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", ""),
    (TooSlow, HTTPStatus.REQUEST_TIMEOUT, "too-slow", ""),
    (BadEncoding, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "bad-encoding", ""),
    (BadBody, HTTPStatus.BAD_REQUEST, "bad-body", ""),
    (BadParameter, HTTPStatus.BAD_REQUEST, "invalid", ""),
    (BadInquiry, HTTPStatus.UNPROCESSABLE_ENTITY, "bad-picture", "picture"),
    (Refused, HTTPStatus.UNPROCESSABLE_ENTITY, "refused", ""),
)
"""What each is called; the first that fits."""


def refusal_of(error: Exception) -> Refusal:
    """Return how one of `REFUSALS` is told."""
    status, code, parameter = next(
        (status, code, parameter)
        for kind, status, code, parameter in _KINDS
        if isinstance(error, kind)
    )
    if isinstance(error, BadParameter):
        parameter = error.name
    return Refusal(status, str(error), code, parameter, _retry_after_s(error))


def _retry_after_s(error: Exception) -> int | None:
    """Return whole seconds, as HTTP has them."""
    match error:
        case Overloaded():
            seconds = error.retry_after_s
        case HubAway():
            seconds = _AWAY_RETRY_S
        case JudgeFailed() | TooMany():
            seconds = _BUSY_RETRY_S
        case _:
            return None
    return max(1, math.ceil(min(MAX_RETRY_S, seconds)))
