"""How an agent joins: the one call of the API that needs no login, but a join token."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import IO, Any, Final

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from processing.wire.identity import EnrollRequest, EnrollResponse
from webapp.accounts.attempts import EnrolAttempts, client_address
from webapp.common.clock import now
from webapp.common.parsers import read_body
from webapp.common.problems import ApiProblem
from webapp.fleet.actions import (
    BadSignature,
    EnrolmentRefused,
    JoinTokenExpired,
    JoinTokenUnknown,
    JoinTokenUsed,
    KeyRefused,
    enrol_agent,
)

MAX_BYTES: Final = 8 * 1024

_REFUSALS: Final[dict[type[EnrolmentRefused], tuple[HTTPStatus, str]]] = {
    BadSignature: (HTTPStatus.UNAUTHORIZED, "bad-signature"),
    JoinTokenUnknown: (HTTPStatus.UNAUTHORIZED, "join-token-unknown"),
    JoinTokenUsed: (HTTPStatus.CONFLICT, "join-token-used"),
    KeyRefused: (HTTPStatus.CONFLICT, "key-refused"),
    JoinTokenExpired: (HTTPStatus.GONE, "join-token-expired"),
}

_, _SCHEMAS = msgspec.json.schema_components((EnrollRequest, EnrollResponse))


class EnrolJson(BaseParser):
    """An `EnrollRequest`, as JSON with its bytes in base64."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - the signature is DRF's
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - the signature is DRF's
    ) -> Any:
        """Return an `EnrollRequest`; raise a 413 or 400 problem."""
        body = read_body(stream, MAX_BYTES)
        try:
            return msgspec.json.decode(body, type=EnrollRequest)
        except msgspec.ValidationError as error:
            why, _, path = str(error).partition(" - at ")
            field = path.strip("`").removeprefix("$").removeprefix(".")
            raise ValidationError({field: [f"{why}."]}) from error
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise ParseError(f"The body is not JSON: {error}.") from error


class EnrolThrottle(BaseThrottle):
    """So many tries an address and minute, whichever web process is asked."""

    _wait_s: float | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - the signature is DRF's
        address = client_address(request._request)  # noqa: SLF001 - DRF's wrapper has no other door
        wait = EnrolAttempts(address=address, at=now()).take()
        self._wait_s = wait.total_seconds() if wait is not None else None
        return wait is None

    def wait(self) -> float | None:
        return self._wait_s


class EnrolView(APIView):
    """Enrolment of agents."""

    authentication_classes: Sequence[type[BaseAuthentication]] = ()  # the token is the right
    permission_classes = (AllowAny,)
    parser_classes = (EnrolJson,)
    throttle_classes = (EnrolThrottle,)

    @extend_schema(
        operation_id="agents_enroll",
        tags=["agents"],
        request={"application/json": _SCHEMAS["EnrollRequest"]},
        responses={(HTTPStatus.CREATED, "application/json"): _SCHEMAS["EnrollResponse"]},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Give a join token for an identity. Asking again with the same key answers the same."""
        wanted = request.data
        if not isinstance(wanted, EnrollRequest):  # an empty body never reaches the parser
            raise ParseError("The body is empty.")
        try:
            answer = enrol_agent(wanted, at=now())
        except EnrolmentRefused as refused:
            status, code = _REFUSALS.get(type(refused), (HTTPStatus.FORBIDDEN, "refused"))
            words = str(refused)
            raise ApiProblem(status, code, f"{words[:1].upper()}{words[1:]}.") from refused
        return Response(msgspec.to_builtins(answer), HTTPStatus.CREATED)
