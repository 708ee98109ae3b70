"""`POST /api/v1/detect/`: a picture in, boxes out."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from processing.tier.contract import MAX_BUDGET_MS, Answer, Inquiry, Urgency
from processing.tier.front.answers import json_response, problem_response
from processing.tier.front.bodies import BadEncoding, Bodies
from processing.tier.front.door import Door
from processing.tier.front.http_server import watch_of
from processing.tier.front.refusals import REFUSALS, BadParameter, refusal_of
from processing.tier.hub.credentials import bearer_of
from processing.wire import limits
from processing.wire.tier import MAX_PICTURE_BYTES, FoundThing, Judged

PATHS: Final = ("/api/v1/detect/", "/api/v1/detect")
DEFAULT_BUDGET_MS: Final = 5000.0
MAX_STICKY: Final = 200
MSGPACK: Final = "application/msgpack"
_MAX_QUERY: Final = 2000
_TYPES: Final = ("image/jpeg", "image/png", "application/octet-stream", "")
_MODEL: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_DIGEST: Final = re.compile(r"[0-9a-f]{32}")
_NAMES: Final = ("model", "budget_ms", "version", "sticky", "min_score", "urgency")
_DIGITS: Final = 6
"""After the point; what float32 has beyond them is noise."""
_packed = msgspec.msgpack.Encoder().encode


class DetectRoute:
    """Answers one picture at a time."""

    def __init__(self, door: Door, bodies: Bodies) -> None:
        self._door = door
        self._bodies = bodies

    async def answer(self, request: Request) -> Response:
        """Answer with a `Judged`, or a problem."""
        try:
            judged = await self._judge(request)
        except REFUSALS as error:
            return problem_response(refusal_of(error))
        if MSGPACK in request.headers.get("accept", ""):
            return Response(_packed(judged), media_type=MSGPACK)
        return json_response(judged)

    async def _judge(self, request: Request) -> Judged:
        bearer = bearer_of(request.headers.get("authorization", ""))
        grant = await self._door.admit(bearer, "detect")
        given = _parameters(request)
        _check_type(request)
        least = _number(given, "min_score", 0.0, most=1.0)
        model = self._door.model_or_default(_matching(given, "model", _MODEL, "a model's name"))
        budget_ms = _number(given, "budget_ms", DEFAULT_BUDGET_MS, most=MAX_BUDGET_MS)
        if budget_ms == 0.0:
            raise BadParameter("budget_ms", "nothing is judged within 0 ms")
        version = _matching(given, "version", _DIGEST, "a bundle's digest, 32 hexadecimal digits")
        async with self._bodies.reading(request, MAX_PICTURE_BYTES) as body:
            if not body:
                raise BadParameter("picture", "send a JPEG or PNG as the body of the request")
            inquiry = Inquiry(
                picture=body,
                model=model,
                budget_ms=budget_ms,
                tenant=str(grant.organization_id),
                version=version,
                sticky=given.get("sticky", ""),
                urgency=_urgency(given),
            )
            with watch_of(request).working():
                answer = (await self._door.judge(grant, [inquiry]))[0]
        return judged_of(model, answer, least=least)


def judged_of(model: str, answer: Answer, *, least: float) -> Judged:
    """Return an answer as programs read it, best first."""
    found = answer.found
    order = np.argsort(-found.scores, kind="stable")[: limits.MAX_DETECTIONS]
    order = order[found.scores[order] >= least]
    size = np.array((answer.width, answer.height) * 2, np.float32)
    boxes = np.clip(found.xyxy[order].astype(np.float64) / size, 0.0, 1.0)
    labels = found.labels[order].tolist()
    scores = np.round(found.scores[order].astype(np.float64), _DIGITS).tolist()
    return Judged(
        model=model,
        version=answer.version,
        width=answer.width,
        height=answer.height,
        detections=tuple(
            FoundThing(label=label, name=answer.labels[label], score=score, box=tuple(box))
            for label, score, box in zip(
                labels, scores, np.round(boxes, _DIGITS).tolist(), strict=True
            )
        ),
        waited_ms=round(answer.timings.waited_ms, 3),
        decode_ms=round(answer.timings.decode_ms, 3),
        infer_ms=round(answer.timings.infer_ms, 3),
    )


def _parameters(request: Request) -> Mapping[str, str]:
    if len(request.scope["query_string"]) > _MAX_QUERY:
        raise BadParameter("query", f"the query is longer than {_MAX_QUERY} characters")
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in _NAMES:
            raise BadParameter(name[:100], f"there are only the parameters {', '.join(_NAMES)}")
        if name in given:
            raise BadParameter(name, "give it once")
        given[name] = value
    if len(given.get("sticky", "")) > MAX_STICKY:
        raise BadParameter("sticky", f"at most {MAX_STICKY} characters")
    return given


def _check_type(request: Request) -> None:
    type_ = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if type_ not in _TYPES:
        raise BadEncoding("send the picture itself, as image/jpeg or image/png")


def _matching(given: Mapping[str, str], name: str, form: re.Pattern[str], words: str) -> str:
    text = given.get(name, "")
    if text and not form.fullmatch(text):
        raise BadParameter(name, f"it must be {words}")
    return text


def _number(given: Mapping[str, str], name: str, default: float, *, most: float) -> float:
    """Return a number from 0 to `most`; not a number is none of them."""
    text = given.get(name, "")
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= most:
        raise BadParameter(name, f"it must be a number from 0 to {most:g}")
    return number


def _urgency(given: Mapping[str, str]) -> Urgency:
    match given.get("urgency", "interactive"):
        case "interactive":
            return "interactive"
        case "batch":
            return "batch"
        case _:
            raise BadParameter("urgency", "it must be interactive or batch")
