"""The Open Inference Protocol over REST, as clients that are not ours speak it."""

import base64
import gzip
import json
import zlib
from typing import Any

import httpx
import numpy as np
import pytest

from processing.tier.contract import BadInquiry, Overloaded, Pixels, TooLate
from processing.tier.fake import VERSION, FakeTier
from processing.tier.oip.signature import MAX_PICTURES
from tests.processing.tier_front.fronts import JPEG, MODEL, Fronts, found, make_grant

INFER = f"/v2/models/{MODEL}/infer"
HEADER = "Inference-Header-Content-Length"


def image(*pictures: bytes) -> dict[str, Any]:
    data = [base64.b64encode(picture).decode() for picture in pictures]
    return {"name": "image", "datatype": "BYTES", "shape": [len(data)], "data": data}


def min_score(score: float) -> dict[str, Any]:
    return {"name": "min_score", "datatype": "FP32", "shape": [1], "data": [score]}


def binary(*tensors: tuple[dict[str, Any], bytes], **more: Any) -> tuple[bytes, dict[str, str]]:
    """Return the body and its headers."""
    inputs = [tensor | {"parameters": {"binary_data_size": len(raw)}} for tensor, raw in tensors]
    header = json.dumps({"inputs": inputs} | more).encode()
    return header + b"".join(raw for _, raw in tensors), {HEADER: str(len(header))}


async def post(fronts: Fronts, request: dict[str, Any], url: str = INFER) -> httpx.Response:
    async with fronts.client() as client:
        return await client.post(url, json=request)


def outputs_of(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    return {
        output["name"]: np.array(output["data"]).reshape(output["shape"])
        for output in response.json()["outputs"]
    }


async def test_pictures_in_json_are_base64() -> None:
    fronts = Fronts(FakeTier([found(0.3, 0.9), found()]))
    request = {"id": "7", "inputs": [image(JPEG, b"\x89PNG"), min_score(0.5)]}
    response = await post(fronts, request)
    outputs = outputs_of(response)
    assert outputs["n_found"].tolist() == [1, 0]
    assert outputs["boxes"].tolist() == [[[0.0, 0.0, 0.5, 0.5]], [[0.0] * 4]]
    assert outputs["scores"] == pytest.approx(np.array([[0.9], [0.0]]))
    assert outputs["labels"].shape == (2, 1)
    told = response.json()
    assert (told["id"], told["model_name"], told["model_version"]) == ("7", MODEL, VERSION)
    assert told["parameters"]["version"] == VERSION
    assert [inquiry.picture for inquiry in fronts.tier.inquiries] == [JPEG, b"\x89PNG"]


async def test_pictures_and_answers_as_bytes() -> None:
    fronts = Fronts(FakeTier([found(0.9)]))
    raw = len(JPEG).to_bytes(4, "little") + JPEG
    body, headers = binary(
        ({"name": "image", "datatype": "BYTES", "shape": [1]}, raw),
        ({"name": "min_score", "datatype": "FP32", "shape": [1]}, np.float32(0.1).tobytes()),
        outputs=[{"name": "scores", "parameters": {"binary_data": True}}, {"name": "labels"}],
    )
    async with fronts.client() as client:
        response = await client.post(INFER, content=body, headers=headers)
    n_header = int(response.headers[HEADER])
    told = json.loads(response.content[:n_header])
    assert [output["name"] for output in told["outputs"]] == ["scores", "labels"]
    assert np.frombuffer(response.content[n_header:], np.float32).tolist() == [np.float32(0.9)]
    assert "data" in told["outputs"][1]


@pytest.mark.parametrize("form", ["text", "bytes"])
async def test_pixels_instead_of_pictures(form: str) -> None:
    fronts = Fronts()
    pixels = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
    tensor = {"name": "pixels", "datatype": "UINT8", "shape": [2, 3, 4, 3]}
    if form == "text":
        response = await post(fronts, {"inputs": [tensor | {"data": pixels.tolist()}]})
    else:
        body, headers = binary((tensor, pixels.tobytes()))
        async with fronts.client() as client:
            response = await client.post(INFER, content=body, headers=headers)
    assert response.status_code == 200
    sent = [inquiry.picture for inquiry in fronts.tier.inquiries]
    assert all(
        isinstance(picture, Pixels) and np.array_equal(picture.rgb, wanted)
        for picture, wanted in zip(sent, pixels, strict=True)
    )


@pytest.mark.parametrize(("packing", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_packed_both_ways(packing: str, pack: Any) -> None:
    fronts = Fronts(FakeTier([found(*[0.5] * 200)]))
    body = pack(json.dumps({"inputs": [image(JPEG)]}).encode())
    headers = {"Content-Encoding": packing, "Accept-Encoding": packing}
    async with fronts.client() as client:
        response = await client.post(INFER, content=body, headers=headers)
    assert response.headers["content-encoding"] == packing
    assert outputs_of(response)["scores"].shape == (1, 200)


async def test_timeout_and_priority_are_budget_and_urgency() -> None:
    fronts = Fronts()
    parameters = {"timeout": 250_000, "priority": 2, "sticky": "gate"}
    await post(fronts, {"inputs": [image(JPEG)], "parameters": parameters})
    url = f"/v2/models/{MODEL}/versions/{VERSION}/infer"
    await post(fronts, {"inputs": [image(JPEG)], "parameters": {"timeout": 0}}, url)
    first, second = fronts.tier.inquiries
    assert (first.budget_ms, first.urgency, first.sticky) == (250.0, "batch", "gate")
    assert (second.urgency, second.version) == ("interactive", VERSION)


def changed(change: dict[str, Any]) -> dict[str, Any]:
    return {"inputs": [image(JPEG) | change]}


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({}, "inputs"),
        ({"inputs": []}, "inputs"),
        (changed({"name": "picture"}), "'picture'"),
        (changed({"datatype": "FP32"}), "FP32"),
        (changed({"datatype": "TEXT"}), "'TEXT'"),
        (changed({"shape": [1, 1]}), "shape"),
        (changed({"shape": [2]}), "2"),
        (changed({"shape": [-1]}), "negative"),
        (changed({"shape": [2**70]}), "elements"),
        (changed({"data": ["no base64!"]}), "base64"),
        (changed({"data": [""]}), "empty"),
        (changed({"data": None}), "list"),
        (changed({"shape": [0], "data": []}), str(MAX_PICTURES)),
        ({"inputs": [image(JPEG), image(JPEG)]}, "twice"),
        ({"inputs": [min_score(0.5)]}, "either"),
        ({"inputs": [image(JPEG), min_score(1.5)]}, "min_score"),
        ({"inputs": [image(*[JPEG] * (MAX_PICTURES + 1))]}, str(MAX_PICTURES)),
        ({"inputs": [image(JPEG)], "outputs": [{"name": "masks"}]}, "masks"),
        ({"inputs": [image(JPEG)], "parameters": {"timeout": "soon"}}, "timeout"),
        ({"inputs": [image(JPEG)], "parameters": {"timeout": -1}}, "timeout"),
        ({"inputs": [image(JPEG)], "parameters": {"priority": True}}, "priority"),
        ({"inputs": [image(JPEG)], "parameters": {"sticky": 5}}, "sticky"),
        ({"inputs": [image(JPEG)], "id": "7" * 201}, "id"),
        (changed({"parameters": {"shared_memory_region": "x"}}), "shared memory"),
    ],
)
async def test_what_is_wrong_is_said_in_words(request_: dict[str, Any], words: str) -> None:
    fronts = Fronts()
    response = await post(fronts, request_)
    assert response.status_code == 400
    assert words in response.json()["error"]
    assert fronts.tier.inquiries == []


@pytest.mark.parametrize("said", ["x", "-1", "10000000", "0", "5"])
async def test_a_header_length_that_is_not(said: str) -> None:
    async with Fronts().client() as client:
        body = json.dumps({"inputs": [image(JPEG)]})
        response = await client.post(INFER, content=body, headers={HEADER: said})
    assert response.status_code == 400


@pytest.mark.parametrize("size", [3, 10**9, -1, True, "7"])
async def test_a_binary_size_that_is_not(size: object) -> None:
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1]}
    body, _ = binary((tensor, b"\x01\x00\x00\x00x"))
    text = body.decode().replace('"binary_data_size": 5', f'"binary_data_size": {json.dumps(size)}')
    async with Fronts().client() as client:
        headers = {HEADER: str(len(text) - 5)}
        response = await client.post(INFER, content=text, headers=headers)
    assert response.status_code == 400


async def test_one_refused_picture_refuses_its_request() -> None:
    fronts = Fronts(FakeTier([found(0.5), Overloaded("full", retry_after_s=3.0), found(0.5)]))
    response = await post(fronts, {"inputs": [image(*[JPEG] * 3)]})
    assert (response.status_code, response.headers["retry-after"]) == (503, "3")
    assert response.json() == {"error": "full"}
    (use,) = fronts.uses.take(9)
    assert use.outcomes == {"refused": 3}


async def test_answers_that_nobody_gets_are_not_taken_from_a_day() -> None:
    tier = FakeTier([found(0.5), BadInquiry("no picture")])
    fronts = Fronts(tier, make_grant(n_left_today=2))
    request = {"inputs": [image(JPEG, JPEG)]}
    assert (await post(fronts, request)).status_code == 422
    assert (await post(fronts, request)).status_code == 200
    assert (await post(fronts, request)).status_code == 429
    (use,) = fronts.uses.take(9)
    assert use.outcomes == {"bad": 2, "answered": 2}


async def test_names_of_strangers_are_not_counted_whatever_is_refused() -> None:
    fronts = Fronts()
    await fronts.tier.drain(1.0)
    for url in ("/v2/models/NO MODEL/infer", f"/v2/models/{MODEL}/versions/none/infer"):
        assert (await post(fronts, {"inputs": [image(JPEG)]}, url)).status_code == 503
    assert len(fronts.uses) == 0
    assert (await post(fronts, {"inputs": [image(JPEG)]})).status_code == 503
    (use,) = fronts.uses.take(9)
    assert (use.model, use.outcomes) == (MODEL, {"refused": 1})


async def test_too_late_is_504_and_every_picture_costs() -> None:
    fronts = Fronts(FakeTier([TooLate("late")]), make_grant(pictures_per_s=1.0, burst=3))
    assert (await post(fronts, {"inputs": [image(JPEG)]})).status_code == 504
    assert (await post(fronts, {"inputs": [image(*[JPEG] * 3)]})).status_code == 429


async def test_what_is_served_is_told_to_those_who_may_read() -> None:
    fronts = Fronts()
    async with fronts.client() as client:
        assert (await client.get("/v2")).json()["name"] == "farwatch"
        model = (await client.get(f"/v2/models/{MODEL}")).json()
        assert model["versions"] == [VERSION]
        assert model["properties"]["labels"] == "thing"
        assert [tensor["name"] for tensor in model["inputs"]] == ["image", "pixels", "min_score"]
        assert (await client.get(f"/v2/models/{MODEL}/ready")).status_code == 200
        config = (await client.get(f"/v2/models/{MODEL}/config")).json()
        assert config["input"][0]["data_type"] == "TYPE_STRING"
        await client.post(INFER, json={"inputs": [image(JPEG)]})
        for url in (f"/v2/models/{MODEL}/stats", "/v2/models/stats"):
            (stats,) = (await client.get(url)).json()["model_stats"]
            assert (stats["inference_count"], stats["last_inference"]) == (1, 5000)
        index = (await client.post("/v2/repository/index", json={"ready": True})).json()
        assert [(entry["name"], entry["state"]) for entry in index] == [(MODEL, "READY")]
    fronts.hub.grants["fw_known"] = make_grant(scopes=("detect",))
    fronts.moment.at_s += 60.0
    async with fronts.client() as client:
        assert (await client.get(f"/v2/models/{MODEL}")).status_code == 403


async def test_health_is_for_everybody() -> None:
    for tier, status in ((FakeTier(), 200), (FakeTier(models=()), 503)):
        async with Fronts(tier).client(is_known=False) as client:
            assert (await client.get("/v2/health/live")).status_code == 200
            assert (await client.get("/v2/health/ready")).status_code == status


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "/v2/repository/models/fake/load"),
        ("POST", "/v2/repository/models/fake/unload"),
        ("GET", "/v2/systemsharedmemory/status"),
        ("POST", "/v2/cudasharedmemory/region/x/register"),
        ("GET", "/v2/trace/setting"),
        ("POST", f"/v2/models/{MODEL}/trace/setting"),
        ("GET", "/v2/models/stranger"),
        ("GET", f"/v2/models/{MODEL}/versions/{'0' * 32}/ready"),
    ],
)
async def test_what_is_not_offered_is_a_clean_404(method: str, url: str) -> None:
    async with Fronts().client() as client:
        response = await client.request(method, url, json={})
    assert response.status_code == 404
    assert response.json()["error"]
