"""What the editor and the hub tell each other, as JSON: typed, bounded, and never a crash."""

import re
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from types import UnionType
from typing import Annotated, Concatenate, Final, Literal, ParamSpec, TypeVar
from uuid import UUID

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from msgspec import Meta, Struct

from processing.wire.identity import Problem
from processing.wire.limits import MAX_DETECTIONS
from webapp.accounts.models import User
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.problems import problem, problem_http
from webapp.review.boxes import BadBox, Box, ClassName
from webapp.review.findings import Finding
from webapp.review.gold import GoldFeedback
from webapp.review.leasing import ItemMoved
from webapp.review.queries import ItemForEditor, OwnStatus, item_for_editor

MAX_BODY_BYTES: Final = 256 * 1024
"""Of a save; the most boxes with the longest names stay below."""

Revision = Annotated[int, Meta(ge=0, le=2**31)]

FindingsByHand = Annotated[dict[int, Finding], Meta(max_length=MAX_DETECTIONS)]
"""What somebody found of a prediction, by its index, where the boxes do not say it."""

P = ParamSpec("P")
T = TypeVar("T")

_encode = msgspec.json.Encoder().encode


class Onward(Struct, frozen=True, forbid_unknown_fields=True):
    """What a page goes on with, so that one request does for three."""

    shown: UUID | None = None
    """The item that is on the screen from now on."""
    besides: Annotated[tuple[UUID, ...], Meta(max_length=16)] | None = None
    """Those that the page has in hand already, when it wishes for one more."""


class SaveRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a labeler leaves in a picture."""

    revision: Revision
    boxes: Annotated[tuple[Box, ...], Meta(max_length=MAX_DETECTIONS)]
    classes: Annotated[tuple[ClassName, ...], Meta(max_length=64)] = ()
    """Of the picture as a whole."""
    findings: FindingsByHand = {}
    onward: Onward = Onward()


class SkipRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a labeler leaves a picture undecided."""

    revision: Revision
    skip_as: Literal["passed", "ambiguous"]
    onward: Onward = Onward()


class NextRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A wish for the item after those that the page has in hand already."""

    besides: Annotated[tuple[UUID, ...], Meta(max_length=16)] = ()


class Conflict(Problem, frozen=True, kw_only=True):
    """A 409: nothing was written, and this is how the item is now."""

    item: ItemForEditor


class Answer(Struct, frozen=True, kw_only=True):
    """How the work stands, with the item that was asked for."""

    status: OwnStatus
    item: ItemForEditor | None = None
    gold: GoldFeedback | None = None
    """Of a save that answered a known picture: how it compares."""
    moved: Conflict | None = None
    """What a save went on to (`Onward.shown`) is not the labeler's; it was saved all the same."""


class BadBody(ValueError):
    """The body is not what it must be; `field` names where (empty: the body itself)."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


def read_json(request: HttpRequest, kind: type[T] | UnionType) -> T:
    """Return the request's body as a `kind`; raise `BadBody`."""
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise BadBody("", "The body is too large.") from error
    if len(body) > MAX_BODY_BYTES:
        raise BadBody("", f"{len(body)} bytes; at most {MAX_BODY_BYTES} are allowed.")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _bad_body(error) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadBody("", f"The body is not JSON: {error}.") from error


def read_parsed(body: object, kind: type[T] | UnionType) -> T:
    """Return what JSON became as a `kind`; raise `BadBody`."""
    try:
        return msgspec.convert(body, kind, str_keys=True)
    except msgspec.ValidationError as error:
        raise _bad_body(error) from error


def json_answer(answer: Struct) -> HttpResponse:
    """Return `answer` as JSON that no cache keeps."""
    return HttpResponse(
        _encode(answer), content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def answers_json(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Turn what a labeler must hear into problems: 409 with the item as it is now, 422 by field."""

    @wraps(view)
    def answering(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except (BadBox, BadBody) as bad:
            return problem_http(
                problem(
                    HTTPStatus.UNPROCESSABLE_ENTITY,
                    code="invalid",
                    detail=str(bad),
                    errors={bad.field: [str(bad)]},
                )
            )
        except ItemMoved as moved:
            return problem_http(conflict(moved, by=actor_of(request)))

    return answering


def conflict(moved: ItemMoved, *, by: User) -> Conflict:
    """Return what `by` is told of an item that is not as they have it."""
    plain = problem(HTTPStatus.CONFLICT, code="item-moved", detail=str(moved))
    return Conflict(
        type=plain.type,
        title=plain.title,
        status=plain.status,
        detail=plain.detail,
        item=item_for_editor(moved.item, by=by, at=now()),
    )


def _bad_body(error: msgspec.ValidationError) -> BadBody:
    why, _, path = str(error).partition(" - at ")
    return BadBody(_dotted(path), f"{why}.")


def _dotted(path: str) -> str:
    """Return msgspec's `$.boxes[3].xyxy` as `boxes.3.xyxy`."""
    place = path.rpartition(" in ")[2].strip("`")  # a bad key is "key` in `$.keys"
    return re.sub(r"\[(\d+)\]", r".\1", place).removeprefix("$").removeprefix(".")
