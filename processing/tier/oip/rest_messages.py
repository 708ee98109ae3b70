"""Requests and answers of the protocol's REST form, with the binary tensor extension."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from processing.tier.oip.infer import Asked, Parameter, Parameters, Told
from processing.tier.oip.signature import MAX_REQUEST_BYTES, OUTPUT_NAMES
from processing.tier.oip.tensors import (
    MAX_DIMENSIONS,
    BadTensor,
    Tensor,
    flat,
    from_raw,
    from_values,
    n_elements,
    to_raw,
    to_values,
)

Name = Annotated[str, Meta(max_length=200)]
_MAX_PARAMETERS: Final = 64
_Given = Annotated[dict[Name, Any], Meta(max_length=_MAX_PARAMETERS)]


class _Input(Struct, frozen=True, kw_only=True):
    name: Name
    shape: Annotated[list[int], Meta(max_length=MAX_DIMENSIONS)]
    datatype: Name
    parameters: _Given = {}
    data: Any = None


class _Output(Struct, frozen=True, kw_only=True):
    name: Name
    parameters: _Given = {}


class _Request(Struct, frozen=True, kw_only=True):
    inputs: Annotated[tuple[_Input, ...], Meta(min_length=1, max_length=16)]
    id: str = ""
    parameters: _Given = {}
    outputs: Annotated[tuple[_Output, ...], Meta(max_length=16)] = ()


_decoder: Final = msgspec.json.Decoder(_Request)
_encode: Final = msgspec.json.Encoder().encode


class RestRequest(Struct, frozen=True, kw_only=True):
    """A request, and which outputs it wants as bytes."""

    asked: Asked
    binary_outputs: frozenset[str]


def read_request(model: str, version: str, body: bytes, said_header: str | None) -> RestRequest:
    """Return what a body asks; `said_header` is Inference-Header-Content-Length.

    Raise `BadTensor`.
    """
    n_header = len(body)
    if said_header is not None:
        if not (said_header.isascii() and said_header.isdigit() and len(said_header) < 10):  # noqa: PLR2004  # bodies are smaller
            raise BadTensor("Inference-Header-Content-Length is no number of bytes")
        n_header = int(said_header)
        if n_header > len(body):
            raise BadTensor("Inference-Header-Content-Length is more than the body has")
    try:
        request = _decoder.decode(memoryview(body)[:n_header])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadTensor(f"the request is not one: {error}") from error
    tensors, is_text = _read_tensors(request.inputs, memoryview(body)[n_header:])
    asked = Asked(
        model=model,
        version=version,
        id=request.id,
        parameters=_known(request.parameters),
        tensors=tensors,
        outputs=tuple(output.name for output in request.outputs),
        is_text=is_text,
    )
    return RestRequest(asked=asked, binary_outputs=_binary_outputs(request))


def write_answer(told: Told, binary: frozenset[str]) -> tuple[bytes, int | None]:
    """Return the body, and the length of its JSON where bytes come after that."""
    outputs: list[dict[str, object]] = []
    chunks: list[bytes] = []
    for tensor in told.tensors:
        output: dict[str, object] = {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": tensor.shape,
        }
        if tensor.name in binary:
            chunk = to_raw(tensor)
            output["parameters"] = {"binary_data_size": len(chunk)}
            chunks.append(chunk)
        else:
            output["data"] = to_values(tensor)
        outputs.append(output)
    answer: dict[str, object] = {
        "model_name": told.model,
        "model_version": told.version,
        "parameters": told.parameters,
        "outputs": outputs,
    }
    if told.id:
        answer["id"] = told.id
    header = _encode(answer)
    return (b"".join((header, *chunks)), len(header)) if chunks else (header, None)


def _read_tensors(inputs: tuple[_Input, ...], raw: memoryview) -> tuple[list[Tensor], bool]:
    tensors: list[Tensor] = []
    at = 0
    is_text = False
    for given in inputs:
        for name in given.parameters:
            if name.startswith("shared_memory"):
                raise BadTensor("shared memory is not offered: send the tensor itself")
        size = given.parameters.get("binary_data_size")
        if size is None:
            most = min(n_elements(given.name, given.datatype, given.shape), MAX_REQUEST_BYTES)
            data = flat(given.name, given.data, most)
            tensors.append(from_values(given.name, given.datatype, given.shape, data))
            is_text = is_text or given.datatype == "BYTES"
            continue
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= len(raw) - at:
            raise BadTensor(f"tensor {given.name!r}: binary_data_size is not what came")
        tensors.append(from_raw(given.name, given.datatype, given.shape, raw[at : at + size]))
        at += size
    if at != len(raw):
        raise BadTensor(f"{len(raw) - at} bytes came that belong to no tensor")
    return tensors, is_text


def _binary_outputs(request: _Request) -> frozenset[str]:
    is_binary = request.parameters.get("binary_data_output") is True
    if not request.outputs:
        return frozenset(OUTPUT_NAMES) if is_binary else frozenset()
    return frozenset(
        output.name
        for output in request.outputs
        if output.parameters.get("binary_data", is_binary) is True
    )


def _known(parameters: dict[str, Any]) -> Parameters:
    """Return the parameters that are plain values; the protocol has no others."""
    known: dict[str, Parameter] = {}
    for name, value in parameters.items():
        if not isinstance(value, str | int | float | bool):
            raise BadTensor(f"parameter {name!r} is text, a number, true or false")
        known[name] = value
    return known
