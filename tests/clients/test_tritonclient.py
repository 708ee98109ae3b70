"""NVIDIA's own client, as it is, against our tier: over HTTP and over gRPC."""

import base64
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as over_grpc
import tritonclient.http as over_http
from tritonclient.utils import InferenceServerException

from tests.clients.conftest import RunningTier

Picture = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
GREEN = 1
N_PARALLEL = 100


class Client:
    """One of the two, and what differs between them."""

    def __init__(self, kind: str, tier: RunningTier) -> None:
        self.kind = kind
        self.model = tier.model
        self.module: Any = over_http if kind == "http" else over_grpc
        options: dict[str, Any] = {"concurrency": N_PARALLEL} if kind == "http" else {}
        url = tier.http if kind == "http" else tier.grpc
        self.client = self.module.InferenceServerClient(url, **options)

    def tensor(self, name: str, values: np.ndarray[Any, Any], datatype: str, **how: bool) -> Any:
        tensor = self.module.InferInput(name, list(values.shape), datatype)
        tensor.set_data_from_numpy(values, **how)
        return tensor

    def image(self, *pictures: bytes, **how: bool) -> Any:
        return self.tensor("image", np.array(pictures, dtype=np.object_), "BYTES", **how)

    def infer(self, *inputs: Any, **options: Any) -> Any:
        return self.client.infer(self.model, list(inputs), **options)

    def in_parallel(self, n: int, *inputs: Any) -> list[Any]:
        """Return `n` results, asked for at once."""
        if self.kind == "http":
            asked = [self.client.async_infer(self.model, list(inputs)) for _ in range(n)]
            return [each.get_result() for each in asked]
        told: SimpleQueue[Any] = SimpleQueue()
        for _ in range(n):
            self.client.async_infer(
                self.model, list(inputs), lambda result, error: told.put(error or result)
            )
        return [told.get(timeout=60) for _ in range(n)]


@pytest.fixture(params=["http", "grpc"])
def client(request: pytest.FixtureRequest, running_tier: RunningTier) -> Iterator[Client]:
    client = Client(request.param, running_tier)
    yield client
    client.client.close()


def is_green_patch(result: Any) -> bool:
    return (
        result.as_numpy("n_found").tolist() == [1]
        and result.as_numpy("labels").tolist() == [[GREEN]]
        and np.allclose(
            result.as_numpy("boxes"), [[[20 / 64, 12 / 64, 36 / 64, 28 / 64]]], atol=0.01
        )
    )


def test_health_and_metadata(client: Client) -> None:
    assert client.client.is_server_live()
    assert client.client.is_server_ready()
    assert client.client.is_model_ready(client.model)
    assert "farwatch" in str(client.client.get_server_metadata())
    metadata = str(client.client.get_model_metadata(client.model))
    assert all(name in metadata for name in ("image", "pixels", "min_score", "n_found", "boxes"))
    assert "TYPE_STRING" in str(client.client.get_model_config(client.model))
    assert "READY" in str(client.client.get_model_repository_index())


def test_an_encoded_picture(client: Client, png: bytes) -> None:
    assert is_green_patch(client.infer(client.image(png)))


def test_pixels(client: Client, picture: Picture) -> None:
    result = client.infer(client.tensor("pixels", picture[None], "UINT8"))
    assert is_green_patch(result)


def test_several_pictures_and_several_inputs(client: Client, picture: Picture) -> None:
    pixels = np.stack([picture, np.zeros_like(picture), picture])
    least = client.tensor("min_score", np.array([0.5], np.float32), "FP32")
    result = client.infer(client.tensor("pixels", pixels, "UINT8"), least)
    assert result.as_numpy("n_found").tolist() == [1, 0, 1]


def test_only_the_outputs_that_are_asked_for(client: Client, png: bytes) -> None:
    outputs = [client.module.InferRequestedOutput("scores")]
    result = client.infer(client.image(png), outputs=outputs)
    assert result.as_numpy("scores").shape == (1, 1)
    assert result.as_numpy("boxes") is None


def test_id_timeout_and_priority_go_through(client: Client, png: bytes) -> None:
    result = client.infer(client.image(png), request_id="7", timeout=5_000_000, priority=1)
    response = result.get_response()
    assert (response["id"] if client.kind == "http" else response.id) == "7"


def test_a_version_by_its_digest(client: Client, png: bytes) -> None:
    response = client.infer(client.image(png)).get_response()
    version = response["model_version"] if client.kind == "http" else response.model_version
    assert is_green_patch(client.infer(client.image(png), model_version=version))


def test_a_hundred_at_once(client: Client, png: bytes) -> None:
    results = client.in_parallel(N_PARALLEL, client.image(png))
    assert [is_green_patch(result) for result in results] == [True] * N_PARALLEL
    stats = str(client.client.get_inference_statistics(client.model))
    assert "inference_count" in stats


def test_what_is_wrong_is_an_error_in_words(client: Client, png: bytes, picture: Picture) -> None:
    floats = picture[None].astype(np.float32)
    wrong = {
        "no input 'picture'": [client.tensor("picture", floats, "FP32")],
        "is UINT8, not FP32": [client.tensor("pixels", floats, "FP32")],
        "has shape": [client.tensor("pixels", picture, "UINT8")],
        "either": [client.image(png), client.tensor("pixels", picture[None], "UINT8")],
    }
    for words, inputs in wrong.items():
        with pytest.raises(InferenceServerException, match=words):
            client.infer(*inputs)
    with pytest.raises(InferenceServerException, match="no output"):
        client.infer(client.image(png), outputs=[client.module.InferRequestedOutput("masks")])
    with pytest.raises(InferenceServerException):
        client.infer(client.image(b"GIF89a"))


def test_an_unknown_model_is_not_found(client: Client, png: bytes) -> None:
    with pytest.raises(InferenceServerException) as told:
        client.client.infer("stranger", [client.image(png)])
    assert told.value.status() in {"404", "StatusCode.NOT_FOUND"}
    with pytest.raises(InferenceServerException):
        client.client.get_model_metadata("stranger")


def test_what_is_not_offered_is_an_error_and_no_hang(client: Client) -> None:
    for ask in (
        lambda: client.client.load_model(client.model),
        lambda: client.client.unload_model(client.model),
        client.client.get_system_shared_memory_status,
        client.client.get_cuda_shared_memory_status,
        client.client.get_trace_settings,
    ):
        with pytest.raises(InferenceServerException):
            ask()


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
def test_packed_both_ways_over_http(
    running_tier: RunningTier, picture: Picture, packing: str
) -> None:
    client = Client("http", running_tier)
    pixels = client.tensor("pixels", np.stack([picture] * 60), "UINT8")
    result = client.infer(
        pixels, request_compression_algorithm=packing, response_compression_algorithm=packing
    )
    assert result.as_numpy("n_found").tolist() == [1] * 60
    client.client.close()


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
def test_packed_over_grpc(running_tier: RunningTier, png: bytes, packing: str) -> None:
    client = Client("grpc", running_tier)
    assert is_green_patch(client.infer(client.image(png), compression_algorithm=packing))
    client.client.close()


def test_json_instead_of_bytes(running_tier: RunningTier, png: bytes, picture: Picture) -> None:
    client = Client("http", running_tier)
    outputs = [
        over_http.InferRequestedOutput(name, binary_data=False)
        for name in ("n_found", "boxes", "labels")
    ]
    image = client.image(base64.b64encode(png), binary_data=False)
    assert is_green_patch(client.infer(image, outputs=outputs))
    pixels = client.tensor("pixels", picture[None], "UINT8", binary_data=False)
    assert is_green_patch(client.infer(pixels, outputs=outputs))
    client.client.close()
