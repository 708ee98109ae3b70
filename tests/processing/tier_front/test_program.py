"""The whole program on real sockets: what it serves, bounds, ends; over HTTP and gRPC."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import httpx
import numpy as np
import pytest

from processing.tier.contract import (
    BadInquiry,
    JudgeFailed,
    Overloaded,
    Refused,
    TooLate,
)
from processing.tier.fake import FakeTier, Reply
from processing.tier.front import http_server
from processing.tier.oip import open_inference_pb2 as pb
from processing.tier.oip.grpc_server import SERVICE, serving_grpc
from processing.tier.program.app import Program
from processing.tier.program.config import BadConfig, TierConfig, load_config, read_token
from tests.ports import free_port
from tests.processing.tier_front.fronts import JPEG, Fronts, found, until
from tests.processing.tiny_bundle import make_tiny_bundle

DETECT = "/api/v1/detect/"


def config(folder: Path, **options: object) -> TierConfig:
    given: dict[str, object] = {
        "FARWATCH_TIER_OPEN": True,
        "port": 0,
        "data_dir": folder / "data",
        "bundles": folder / "bundles",
    }
    return load_config(**given | options)


def new_tier(*script: Reply) -> FakeTier:
    """Return one that serves nothing yet."""
    return FakeTier(script, models=())


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    """A folder with one bundle: a fake tier serves it as `tiny`."""
    (tmp_path / "bundles").mkdir()
    make_tiny_bundle(tmp_path / "bundles" / "tiny")
    return tmp_path


@asynccontextmanager
async def running(
    folder: Path, tier: FakeTier, **options: object
) -> AsyncIterator[httpx.AsyncClient]:
    program = Program(config(folder, **options), "", tier)
    async with program.running() as url, httpx.AsyncClient(base_url=url) as client:
        await until(lambda: bool(tier.models()))
        yield client


async def test_a_picture_is_judged(bundles: Path) -> None:
    tier = new_tier(found(0.5))
    async with running(bundles, tier) as client:
        response = await client.post(DETECT, content=JPEG)
    assert response.json()["model"] == "tiny"
    assert len(response.json()["detections"]) == 1


async def test_a_client_that_goes_away_is_not_judged_for(bundles: Path) -> None:
    tier = new_tier()
    async with running(bundles, tier) as client:
        tier.hold()
        request = asyncio.create_task(client.post(DETECT, content=JPEG))
        await until(lambda: bool(tier.inquiries))
        request.cancel()
        await asyncio.wait([request])
        await until(lambda: bool(tier.n_cancelled))
        tier.release()
        assert (await client.post(DETECT, content=JPEG)).status_code == 200


async def test_what_was_taken_in_is_answered_when_it_is_told_to_stop(bundles: Path) -> None:
    tier = new_tier()
    async with httpx.AsyncClient() as other:
        async with running(bundles, tier) as client:
            tier.hold()
            request = asyncio.create_task(other.post(f"{client.base_url}{DETECT}", content=JPEG))
            await until(lambda: bool(tier.inquiries))
        assert (await request).status_code == 200


async def ask_slowly(client: httpx.AsyncClient, *parts: bytes) -> bytes:
    url = client.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


async def test_a_head_that_does_not_end_is_not_waited_for(
    bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "HEAD_TIMEOUT_S", 0.05)
    async with running(bundles, new_tier()) as client:
        assert await ask_slowly(client, b"GET /healthz HTTP/1.1\r\nHost: x\r\n") == b""
        assert await ask_slowly(client, b"") == b""


async def test_a_head_has_an_end(bundles: Path) -> None:
    async with running(bundles, new_tier()) as client:
        head = b"GET /healthz HTTP/1.1\r\n" + (b"x: " + b"y" * 8000 + b"\r\n") * 300
        try:
            answer = await ask_slowly(client, head)
        except ConnectionError:  # it may be closed before all is written
            answer = b""
    assert answer == b""


async def test_what_is_no_http_is_told_so(bundles: Path) -> None:
    async with running(bundles, new_tier()) as client:
        assert (await ask_slowly(client, b"\x16\x03\x01\x00\r\n\r\n")).startswith(b"HTTP/1.1 400")


@asynccontextmanager
async def grpc_channel(
    folder: Path, tier: FakeTier
) -> AsyncIterator[tuple[grpc.aio.Channel, httpx.AsyncClient]]:
    port = free_port()
    async with (
        running(folder, tier, grpc_port=port) as client,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield channel, client


async def infer(
    channel: grpc.aio.Channel, request: pb.ModelInferRequest, *, most_s: float | None = None
) -> pb.ModelInferResponse:
    method = channel.unary_unary(
        f"/{SERVICE}/ModelInfer",
        request_serializer=pb.ModelInferRequest.SerializeToString,
        response_deserializer=pb.ModelInferResponse.FromString,
    )
    answer: pb.ModelInferResponse = await method(request, timeout=most_s)
    return answer


def picture(**more: object) -> pb.ModelInferRequest:
    tensor = pb.ModelInferRequest.InferInputTensor(
        name="image",
        datatype="BYTES",
        shape=[1],
        contents=pb.InferTensorContents(bytes_contents=[JPEG]),
    )
    given: Mapping[str, object] = {"model_name": "tiny", "inputs": [tensor]} | more
    return pb.ModelInferRequest(**given)  # type: ignore[arg-type]  # by name


async def test_grpc_judges_typed_contents_within_the_callers_deadline(bundles: Path) -> None:
    tier = new_tier(found(0.5))
    async with grpc_channel(bundles, tier) as (channel, _):
        answer = await infer(channel, picture(id="7"), most_s=2.0)
    assert answer.id == "7"
    scores = answer.raw_output_contents[[each.name for each in answer.outputs].index("scores")]
    assert np.frombuffer(scores, np.float32).tolist() == [0.5]
    assert 0.0 < tier.inquiries[0].budget_ms <= 2000.0


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (Overloaded("full", retry_after_s=3.0), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (TooLate("late"), grpc.StatusCode.DEADLINE_EXCEEDED),
        (BadInquiry("no picture"), grpc.StatusCode.INVALID_ARGUMENT),
        (JudgeFailed("it broke"), grpc.StatusCode.INTERNAL),
    ],
)
async def test_grpc_names_refusals_as_its_clients_know_them(
    bundles: Path, refused: Refused, code: grpc.StatusCode
) -> None:
    async with grpc_channel(bundles, new_tier(refused)) as (channel, _):
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await infer(channel, picture())
    assert (told.value.code(), told.value.details()) == (code, str(refused))
    if isinstance(refused, Overloaded):
        assert dict(told.value.trailing_metadata())["retry-after"] == "3"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"model_name": "stranger"}, grpc.StatusCode.NOT_FOUND),
        ({"inputs": []}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"raw_input_contents": [b"", b""]}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"raw_input_contents": [b"\x01"]}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"id": "7" * 300}, grpc.StatusCode.INVALID_ARGUMENT),
        (
            {"parameters": {"timeout": pb.InferParameter(int64_param=-1)}},
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
    ],
)
async def test_grpc_refuses_what_is_wrong(
    bundles: Path, more: dict[str, object], code: grpc.StatusCode
) -> None:
    async with grpc_channel(bundles, new_tier()) as (channel, _):
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await infer(channel, picture(**more))
    assert told.value.code() == code


async def test_grpc_takes_no_more_than_it_says(bundles: Path) -> None:
    async with grpc_channel(bundles, new_tier()) as (channel, _):
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await infer(channel, picture(raw_input_contents=[bytes(33 * 1024 * 1024)]))
        assert told.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_grpc_takes_nothing_in_from_strangers() -> None:
    fronts, port = Fronts(new_tier()), free_port()
    too_large = picture(raw_input_contents=[bytes(33 * 1024 * 1024)])
    serving = serving_grpc(fronts.door, fronts.bodies, host="127.0.0.1", port=port, grace_s=0.1)
    async with serving, grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        for _ in range(3):
            with pytest.raises(grpc.aio.AioRpcError) as told:
                await infer(channel, too_large)
            assert told.value.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_grpc_mutated_messages_are_no_crash(bundles: Path) -> None:
    content = picture().SerializeToString()
    chance = np.random.default_rng(3)
    codes = set()
    async with grpc_channel(bundles, new_tier()) as (channel, client):
        method = channel.unary_unary(f"/{SERVICE}/ModelInfer")
        for _ in range(60):
            message = bytearray(content)
            for _ in range(int(chance.integers(1, 4))):
                message[int(chance.integers(len(message)))] = int(chance.integers(256))
            try:
                await method(bytes(message))
            except grpc.aio.AioRpcError as error:
                codes.add(error.code())
        assert (await client.get("/healthz")).status_code == 200
    assert grpc.StatusCode.UNKNOWN not in codes


def test_settings_say_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for options, words in (
        ({}, "FARWATCH_TIER_HUB_URL"),
        ({"hub_url": "http://hub.example.org"}, "not encrypted"),
        ({"hub_url": "https://hub.example.org"}, "FARWATCH_TIER_TOKEN"),
        ({"FARWATCH_TIER_OPEN": True, "host": "0.0.0.0"}, "127.0.0.1"),
        ({"FARWATCH_TIER_OPEN": True, "hub_url": "http://localhost:1"}, "without"),
    ):
        with pytest.raises(BadConfig, match=words):
            load_config(**options)
    monkeypatch.setenv("FARWATCH_TIER_HUB_URL", "http://127.0.0.1:8000/")
    monkeypatch.setenv("FARWATCH_TIER_TOKEN_FILE", str(tmp_path / "token"))
    settings = load_config()
    assert settings.hub_url == "http://127.0.0.1:8000"
    with pytest.raises(BadConfig, match="token"):
        read_token(settings)
    (tmp_path / "token").write_text("secret\n")
    assert read_token(settings) == "secret"
