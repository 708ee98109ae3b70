"""Requests and answers of the protocol's gRPC form."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from processing.tier.oip import open_inference_pb2 as pb
from processing.tier.oip.infer import Asked, Parameter, Parameters, Told
from processing.tier.oip.tensors import (
    BYTES,
    MAX_DIMENSIONS,
    BadTensor,
    Tensor,
    from_raw,
    from_values,
    to_raw,
)

_MAX_TENSORS: Final = 16
_MAX_PARAMETERS: Final = 64
_FIELDS: Final = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    BYTES: "bytes_contents",
}
"""FP16 comes raw only."""


def read_request(request: pb.ModelInferRequest, *, most_ms: float) -> Asked:
    """Return what is asked, by a client that waits `most_ms`. Raise `BadTensor`."""
    if len(request.inputs) > _MAX_TENSORS or len(request.outputs) > _MAX_TENSORS:
        raise BadTensor(f"at most {_MAX_TENSORS} tensors")
    return Asked(
        model=request.model_name,
        version=request.model_version,
        id=request.id,
        parameters=_parameters(request.parameters),
        tensors=_tensors(request.inputs, request.raw_input_contents),
        outputs=tuple(output.name for output in request.outputs),
        most_ms=most_ms,
    )


def write_answer(told: Told) -> pb.ModelInferResponse:
    """Return the answer, with raw tensors: clients read both."""
    return pb.ModelInferResponse(
        model_name=told.model,
        model_version=told.version,
        id=told.id,
        parameters={name: _parameter(value) for name, value in told.parameters.items()},
        outputs=[
            pb.ModelInferResponse.InferOutputTensor(
                name=tensor.name, datatype=tensor.datatype, shape=tensor.shape
            )
            for tensor in told.tensors
        ],
        raw_output_contents=[to_raw(tensor) for tensor in told.tensors],
    )


def _tensors(
    inputs: Sequence[pb.ModelInferRequest.InferInputTensor], raw: Sequence[bytes]
) -> list[Tensor]:
    for given in inputs:
        if len(given.shape) > MAX_DIMENSIONS:
            raise BadTensor(f"tensor {given.name[:100]!r}: at most {MAX_DIMENSIONS} dimensions")
        if any(name.startswith("shared_memory") for name in given.parameters):
            raise BadTensor("shared memory is not offered: send the tensor itself")
    if not raw:
        return [_typed(given) for given in inputs]
    if len(raw) != len(inputs):
        raise BadTensor(f"{len(inputs)} inputs, but {len(raw)} raw contents")
    if any(given.HasField("contents") for given in inputs):
        raise BadTensor("send either contents or raw contents")
    return [
        from_raw(given.name, given.datatype, given.shape, content)
        for given, content in zip(inputs, raw, strict=True)
    ]


def _typed(given: pb.ModelInferRequest.InferInputTensor) -> Tensor:
    field = _FIELDS.get(given.datatype)
    if field is None:
        raise BadTensor(f"tensor {given.name[:100]!r}: {given.datatype[:100]!r} comes raw only")
    values: Sequence[Any] = getattr(given.contents, field)
    return from_values(given.name, given.datatype, given.shape, values)


def _parameters(given: Mapping[str, pb.InferParameter]) -> Parameters:
    if len(given) > _MAX_PARAMETERS:
        raise BadTensor(f"at most {_MAX_PARAMETERS} parameters")
    known: dict[str, Parameter] = {}
    for name, parameter in given.items():
        choice = parameter.WhichOneof("parameter_choice")
        if choice is not None:
            known[name] = getattr(parameter, choice)
    return known


def _parameter(value: Parameter) -> pb.InferParameter:
    match value:
        case bool():
            return pb.InferParameter(bool_param=value)
        case int():
            return pb.InferParameter(int64_param=value)
        case float():
            return pb.InferParameter(double_param=value)
        case str():
            return pb.InferParameter(string_param=value)
