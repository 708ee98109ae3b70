"""A TensorFlow.js graph model as it lies on disk: `model.json` and its weights."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""Weights are float32 or int32, here and in ONNX alike."""

_MAX_JSON_BYTES: Final = 64 * 1024 * 1024


class NotConvertible(ValueError):
    """The model is no graph model, or uses something that this converter does not know."""


class AttributeList(Struct):
    """A list of values of one type; only integers occur in what is read here."""

    i: list[int] = []


class Attribute(Struct):
    """One attribute of a node: the field of its type is set, the others are not."""

    s: str = ""
    """Base64."""
    i: int = 0
    f: float = 0.0
    b: bool = False
    list: AttributeList = msgspec.field(default_factory=AttributeList)

    @property
    def text(self) -> str:
        return base64.b64decode(self.s).decode()


class Node(Struct):
    """One operation."""

    name: str
    op: str
    input: list[str] = []
    attr: dict[str, Attribute] = {}

    @property
    def inputs(self) -> list[tuple[str, int]]:
        """The (node, output number) of each input; those that only order things left out."""
        named = (entry.partition(":") for entry in self.input if not entry.startswith("^"))
        return [(name, int(number or 0)) for name, _, number in named]


class _Quantization(Struct):
    dtype: Literal["float16"]


class _Weight(Struct):
    name: str
    shape: list[Annotated[int, Meta(ge=0)]]
    dtype: Literal["float32", "int32"]
    quantization: _Quantization | None = None


class _WeightGroup(Struct):
    weights: list[_Weight]


class _Dimension(Struct):
    size: int


class _Shape(Struct):
    dim: list[_Dimension] = []


class _Port(Struct, rename="camel"):
    tensor_shape: _Shape


class _Signature(Struct):
    inputs: dict[str, _Port]
    outputs: dict[str, _Port]


class _Topology(Struct):
    node: list[Node]


class _Model(Struct, rename="camel"):
    format: Literal["graph-model"]
    signature: _Signature
    model_topology: _Topology
    weights_manifest: list[_WeightGroup]


@dataclass(frozen=True, slots=True)
class Graph:
    """A model, read."""

    nodes: dict[str, Node]
    weights: dict[str, Array]
    """By the name of the `Const` node that each belongs to."""
    inputs: dict[str, tuple[int, ...]]
    """Shape by name of the node."""
    outputs: dict[str, tuple[int, ...]]


def read_graph(model_json: bytes, weights: bytes) -> Graph:
    """Return the model in these two files; raise `NotConvertible`."""
    if len(model_json) > _MAX_JSON_BYTES:
        raise NotConvertible(f"{len(model_json)} bytes of JSON; at most {_MAX_JSON_BYTES} are read")
    try:
        # Not strict: protocol buffers write 64-bit integers as strings.
        model = msgspec.json.decode(model_json, type=_Model, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotConvertible(f"not a TensorFlow.js graph model: {error}") from error
    return Graph(
        nodes={node.name: node for node in model.model_topology.node},
        weights=dict(_weights(model, weights)),
        inputs=_shapes(model.signature.inputs),
        outputs=_shapes(model.signature.outputs),
    )


def _weights(model: _Model, data: bytes) -> Iterator[tuple[str, Array]]:
    offset = 0
    for weight in (weight for group in model.weights_manifest for weight in group.weights):
        stored = np.dtype(weight.quantization.dtype if weight.quantization else weight.dtype)
        n_values = prod(weight.shape)
        end = offset + n_values * stored.itemsize
        if end > len(data):
            raise NotConvertible(f"the weights end before {weight.name}")
        values = np.frombuffer(data, stored.newbyteorder("<"), n_values, offset)
        yield weight.name, values.astype(weight.dtype).reshape(weight.shape)
        offset = end
    if offset != len(data):
        raise NotConvertible(f"{len(data)} bytes of weights where {offset} are described")


def _shapes(ports: dict[str, _Port]) -> dict[str, tuple[int, ...]]:
    return {
        name.partition(":")[0]: tuple(dimension.size for dimension in port.tensor_shape.dim)
        for name, port in ports.items()
    }
