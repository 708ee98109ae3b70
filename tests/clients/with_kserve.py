"""Run by an interpreter that has KServe's SDK: `with_kserve.py HTTP GRPC MODEL PNG`.

Asks a tier in every way that the SDK has, and prints what came as JSON.
"""

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig


def request_of(model: str, values: "np.ndarray[Any, Any]", *, is_binary: bool) -> InferRequest:
    name, datatype = ("pixels", "UINT8") if values.ndim > 1 else ("image", "BYTES")
    tensor = InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=is_binary)
    options = {"binary_data_output": True} if is_binary else {}
    return InferRequest(model, [tensor], request_id="7", parameters=options)


def told(response: Any) -> dict[str, Any]:
    """Return the outputs of an answer by name, as lists."""
    return {output.name: output.as_numpy().tolist() for output in response.outputs}


async def over_rest(url: str, model: str, png: bytes) -> dict[str, Any]:
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=1))
    files = np.array([png], dtype=np.object_)
    texts = np.array([base64.b64encode(png)], dtype=np.object_)
    pixels = np.zeros((2, 8, 8, 3), np.uint8)

    async def infer(request: InferRequest) -> dict[str, Any]:
        return told(await client.infer(url, request, model_name=model))

    found = {
        "live": await client.is_server_live(url),
        "ready": await client.is_server_ready(url),
        "model_ready": await client.is_model_ready(url, model),
        "binary": await infer(request_of(model, files, is_binary=True)),
        "text": await infer(request_of(model, texts, is_binary=False)),
        "pixels": await infer(request_of(model, pixels, is_binary=True)),
        "pixels_as_text": await infer(request_of(model, pixels, is_binary=False)),
    }
    try:
        await client.infer(
            url, request_of("stranger", files, is_binary=True), model_name="stranger"
        )
    except httpx.HTTPStatusError as error:
        found["unknown"] = error.response.status_code
    return found


async def over_grpc(url: str, model: str, png: bytes) -> dict[str, Any]:
    client = InferenceGRPCClient(url=url)
    files = np.array([png], dtype=np.object_)
    answer = await client.infer(request_of(model, files, is_binary=True))
    found = {
        "live": await client.is_server_live(),
        "ready": await client.is_server_ready(),
        "model_ready": await client.is_model_ready(model),
        "binary": told(answer),
    }
    await client.close()
    return found


async def main() -> None:
    http, grpc, model, png = sys.argv[1:]
    content = Path(png).read_bytes()  # noqa: ASYNC240  # nothing else goes on
    found = {
        "rest": await over_rest(f"http://{http}", model, content),
        "grpc": await over_grpc(grpc, model, content),
    }
    print(json.dumps(found))  # noqa: T201  # this is what it is for


asyncio.run(main())
