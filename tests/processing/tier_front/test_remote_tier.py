"""A tier that is another server's: ours, or one that calls its tensors otherwise."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from processing.tier.contract import (
    BadInquiry,
    InferenceTier,
    Inquiry,
    JudgeFailed,
    Overloaded,
    Pixels,
    Refused,
    ServedVersion,
    Serving,
    TooLate,
    UnknownModel,
)
from processing.tier.fake import VERSION
from processing.tier.oip.remote_messages import Names
from processing.tier.remote import RemoteTier
from tests.processing.tier_front.fronts import KEY, MODEL, Fronts, found, make_grant, until

WANTED = (Serving(model=MODEL, versions=(ServedVersion(digest=VERSION),)),)
PIXELS = Pixels(np.zeros((48, 64, 3), np.uint8))


def ask(model: str = MODEL, picture: bytes | Pixels = PIXELS, budget_ms: float = 9000.0) -> Inquiry:
    return Inquiry(picture=picture, model=model, budget_ms=budget_ms, tenant="acme", sticky="gate")


@pytest.fixture
def fronts() -> Fronts:
    return Fronts(grant=make_grant(burst=5))


@pytest.fixture
async def remote(fronts: Fronts) -> AsyncIterator[RemoteTier]:
    transport = httpx.ASGITransport(app=fronts.application)
    tier = RemoteTier("http://tier", bearer=KEY, transport=transport)
    await tier.serve(WANTED)
    yield tier
    await tier.drain(1.0)


async def test_it_judges_as_the_tier_behind_it_does(fronts: Fronts, remote: RemoteTier) -> None:
    tier: InferenceTier = remote
    fronts.tier.say(found(0.3, 0.9))
    answer = await tier.submit(ask())
    assert answer.found.scores == pytest.approx(np.array([0.9, 0.3]))
    assert answer.found.xyxy[0].tolist() == [0.0, 0.0, 32.0, 24.0]
    assert (answer.width, answer.height, answer.version) == (64, 48, VERSION)
    assert answer.labels == ("thing",)
    (inquiry,) = fronts.tier.inquiries
    assert (inquiry.sticky, inquiry.budget_ms, inquiry.urgency) == ("gate", 9000.0, "interactive")
    (status,) = tier.models()
    assert (status.state, status.digest, status.labels) == ("ready", VERSION, ("thing",))
    (capacity,) = tier.capacity()
    assert capacity.n_waiting == 0


@pytest.mark.parametrize(
    ("refused", "kind"),
    [
        (Overloaded("full", retry_after_s=3.0), Overloaded),
        (TooLate("late"), TooLate),
        (BadInquiry("no picture"), BadInquiry),
        (UnknownModel("none"), UnknownModel),
    ],
)
async def test_refusals_are_what_they_were(
    fronts: Fronts, remote: RemoteTier, refused: Refused, kind: type[Refused]
) -> None:
    fronts.tier.say(refused)
    with pytest.raises(kind) as told:
        await remote.submit(ask())
    if isinstance(told.value, Overloaded):
        assert told.value.retry_after_s == 3.0


async def test_what_is_no_picture_is_not_sent(fronts: Fronts, remote: RemoteTier) -> None:
    with pytest.raises(BadInquiry):
        await remote.submit(ask(picture=b"GIF89a"))
    with pytest.raises(UnknownModel):
        await remote.submit(ask("stranger"))
    assert fronts.tier.inquiries == []


async def test_a_server_that_is_late_is_not_waited_for(fronts: Fronts, remote: RemoteTier) -> None:
    fronts.tier.hold()
    with pytest.raises(TooLate):
        await remote.submit(ask(budget_ms=20.0))
    fronts.tier.release()


async def test_a_server_that_is_away_is_said_to_be() -> None:
    remote = RemoteTier("http://127.0.0.1:9")
    await remote.serve(WANTED)
    (status,) = remote.models()
    assert (status.state, "does not answer" in status.reason) == ("failed", True)
    with pytest.raises(UnknownModel):
        await remote.submit(ask())
    await remote.drain(1.0)


async def test_a_model_that_is_given_up_answers_what_it_has(
    fronts: Fronts, remote: RemoteTier
) -> None:
    fronts.tier.hold()
    asked = asyncio.create_task(remote.submit(ask()))
    await until(lambda: bool(fronts.tier.inquiries))
    await remote.serve(())
    fronts.tier.release()
    assert (await asked).version == VERSION


async def test_a_tier_that_is_drained_takes_nothing_more(remote: RemoteTier) -> None:
    await remote.drain(1.0)
    with pytest.raises(Overloaded):
        await remote.submit(ask())


class OtherServer:
    """Speaks JSON, boxes in pixels, rows of zeros; and now and then nonsense."""

    def __init__(self) -> None:
        self.body = json.dumps(
            {
                "model_name": "ssd",
                "model_version": "4",
                "outputs": [
                    {"name": "B", "datatype": "FP32", "shape": [1, 2, 4],
                     "data": [1, 2, 3, 4, 0, 0, 0, 0]},
                    {"name": "S", "datatype": "FP32", "shape": [1, 2], "data": [0.5, 0.0]},
                    {"name": "L", "datatype": "INT64", "shape": [1, 2], "data": [[2, 0]]},
                ],
            }
        )  # fmt: skip
        self.tier = RemoteTier(
            "http://other",
            names=Names(image="in", pixels="in", boxes="B", scores="S", labels_out="L", n_found="",
                        are_shares=False, labels=("cat",)),
            transport=httpx.ASGITransport(app=Starlette(routes=[
                Route("/v2/models/ssd", self._model),
                Route("/v2/models/ssd/infer", self._infer, methods=["POST"]),
            ])),
        )  # fmt: skip

    async def _model(self, _request: Request) -> Response:
        return Response('{"name": "ssd", "platform": "x", "inputs": [], "outputs": []}')

    async def _infer(self, request: Request) -> Response:
        body = await request.body()
        asked = json.loads(body[: int(request.headers["Inference-Header-Content-Length"])])
        assert [tensor["name"] for tensor in asked["inputs"]] == ["in"]
        return Response(self.body)


async def test_other_names_and_boxes_in_pixels() -> None:
    other = OtherServer()
    await other.tier.serve((Serving(model="ssd", versions=()),))
    answer = await other.tier.submit(ask("ssd"))
    assert answer.found.xyxy.tolist() == [[1.0, 2.0, 3.0, 4.0]]
    assert (answer.labels, answer.version) == (("cat", "class 1", "class 2"), "4")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        '{"outputs": []}',
        '{"outputs": [{"name": "B", "datatype": "FP32", "shape": [-1], "data": []}]}',
        OtherServer().body.replace("[1, 2, 4]", "[2, 4]"),
        OtherServer().body.replace("0.5", "1e999"),
        OtherServer().body.replace("[[2, 0]]", "[[-2, 0]]"),
        OtherServer().body.replace("[[2, 0]]", "[[99999, 0]]"),
    ],
)
async def test_an_answer_that_is_none_is_a_failure_of_the_server(body: str) -> None:
    other = OtherServer()
    await other.tier.serve((Serving(model="ssd", versions=()),))
    other.body = body
    with pytest.raises(JudgeFailed):
        await other.tier.submit(ask("ssd"))
