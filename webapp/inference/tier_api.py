"""What inference tiers ask the hub, with their own token as bearer (`processing.wire.tier`)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import IO, Any, ClassVar, Final

import msgspec
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.utils.crypto import constant_time_compare
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, ParseError, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from processing.wire.tier import Grant, GrantAsked, TierReport, TierWanted
from webapp.common.clock import now
from webapp.common.parsers import MAX_JSON_BYTES, read_body
from webapp.common.problems import ApiProblem
from webapp.inference.grants import grant_for
from webapp.inference.reports import TooManyTiers, take_report

_REF: Final = "#/components/schemas/{}"


class TierLogin(BaseAuthentication):
    """The tier's own token, `Authorization: Bearer …`."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, str]:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        is_token = bool(token) and constant_time_compare(token, settings.TIER_TOKEN)
        if scheme.lower() != b"bearer" or not is_token:
            raise AuthenticationFailed("Only inference tiers of this hub may ask, by their token.")
        return AnonymousUser(), "tier"

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the signature is DRF's
        return 'Bearer realm="Farwatch tier"'


class IsTier(BasePermission):
    """Whoever showed the tier's token."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - the signature is DRF's
        return request.auth == "tier"


class StructJson(BaseParser):
    """One of the wire's structs as JSON: whichever the view `takes`."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - the signature is DRF's
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the struct; raise a 413 problem, or a 400 one that names the field."""
        assert parser_context is not None
        body = read_body(stream, MAX_JSON_BYTES)
        try:
            return msgspec.json.decode(body, type=parser_context["view"].takes)
        except msgspec.ValidationError as error:
            why, _, path = str(error).partition(" - at ")
            field = path.strip("`").removeprefix("$").removeprefix(".")
            raise ValidationError({field: [f"{why}."]}) from error
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise ParseError(f"The body is not JSON: {error}.") from error


class TierView(APIView):
    """What both calls have in common."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (TierLogin,)
    permission_classes = (IsTier,)
    parser_classes = (StructJson,)
    takes: ClassVar[type[msgspec.Struct]]


class GrantsView(TierView):
    """Whoever came to the tier: what may they do?"""

    takes = GrantAsked

    @extend_schema(
        operation_id="tier_grants",
        tags=["tier"],
        request={"application/json": {"$ref": _REF.format("GrantAsked")}},
        responses={(HTTPStatus.OK, "application/json"): {"$ref": _REF.format("Grant")}},
    )
    def post(self, request: Request) -> HttpResponse:
        """Say what a bearer may do. 404: nobody knows it, it was revoked, or it has lapsed."""
        asked = request.data
        if not isinstance(asked, GrantAsked):  # an empty body never reaches the parser
            raise ParseError("The body is empty.")
        grant = grant_for(asked.bearer, at=now())
        if grant is None:
            raise ApiProblem(HTTPStatus.NOT_FOUND, "unknown-bearer", "Nobody knows this bearer.")
        return _answer(grant)


class ReportsView(TierView):
    """How a tier is, and what was used."""

    takes = TierReport

    @extend_schema(
        operation_id="tier_reports",
        tags=["tier"],
        request={"application/json": {"$ref": _REF.format("TierReport")}},
        responses={(HTTPStatus.OK, "application/json"): {"$ref": _REF.format("TierWanted")}},
    )
    def post(self, request: Request) -> HttpResponse:
        """Take a tier's report and say what is wanted. The same report is counted once."""
        report = request.data
        if not isinstance(report, TierReport):
            raise ParseError("The body is empty.")
        try:
            wanted = take_report(report, at=now())
        except TooManyTiers as error:
            raise ApiProblem(HTTPStatus.CONFLICT, "too-many-tiers", str(error)) from error
        return _answer(wanted)


_ENCODE: Final = msgspec.json.Encoder().encode


def _answer(said: Grant | TierWanted) -> HttpResponse:
    response = HttpResponse(_ENCODE(said), content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
