"""An ONNX graph under construction."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from processing.exchange.tfjs.graph import Array

OPSET: Final = 18
IR_VERSION: Final = 9
"""Of opset 18: what the oldest runtimes that know the opset also read."""

Value: TypeAlias = Array | str
"""A constant, known now, or the name of a tensor, known when the network runs."""
Parameter: TypeAlias = int | float | str | Sequence[int]


class Turned(NamedTuple):
    """A transpose: axis `i` of it is axis `order[i]` of its source."""

    source: str
    order: tuple[int, ...]


class Padded(NamedTuple):
    """A picture, channels first, with a frame of one value around it."""

    source: str
    sides: tuple[int, ...]
    """Top, left, bottom, right; pixels."""
    fill: float


class Convolved(NamedTuple):
    """What a convolution gives, channels first."""

    source: str
    weights: Array
    """(channels out, channels in, height, width)."""
    bias: Array | None
    """(channels out,)."""
    parameters: dict[str, Parameter]


class Builder:
    """Collects nodes and constants, in the order in which they are needed."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._turned: dict[str, Turned] = {}
        self._padded: dict[str, Padded] = {}
        self._convolved: dict[str, Convolved] = {}

    def transpose(self, value: Value, order: Sequence[int]) -> str:
        """Return the value with its axes in this order; turned back, it is what it was before."""
        turned = self.turned(value)
        source = value if turned is None else turned.source
        axes = tuple(order) if turned is None else tuple(turned.order[axis] for axis in order)
        if isinstance(source, str) and axes == tuple(range(len(axes))):
            return source
        result = self.add("Transpose", source, perm=axes)
        if isinstance(source, str):
            self._turned[result] = Turned(source, axes)
        return result

    def turned(self, value: Value) -> "Turned | None":
        """Return what the value is a transpose of, if it is one."""
        return self._turned.get(value) if isinstance(value, str) else None

    def pad(self, padded: Padded) -> str:
        """Append the padding; a convolution or pooling may take it into itself."""
        top, left, bottom, right = padded.sides
        widths = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
        fill = np.array(padded.fill, np.float32)
        result = self.add("Pad", padded.source, widths, fill)
        self._padded[result] = padded
        return result

    def padded(self, value: str) -> Padded | None:
        """Return what the value is a picture framed by, if it is one."""
        return self._padded.get(value)

    def convolve(self, convolved: Convolved) -> str:
        """Append a convolution; a bias or a split may be taken into it afterwards."""
        source, weights, bias, parameters = convolved
        constants = (weights,) if bias is None else (weights, bias)
        result = self.add("Conv", source, *constants, **parameters)
        self._convolved[result] = convolved
        return result

    def convolved(self, value: str) -> Convolved | None:
        """Return the convolution that gives the value, if one does."""
        return self._convolved.get(value)

    def add(self, op: str, *inputs: Value | None, **parameters: Parameter) -> str:
        """Append an operation with one output and return the name of that."""
        return self.add_many(op, *inputs, n_outputs=1, **parameters)[0]

    def add_many(
        self, op: str, *inputs: Value | None, n_outputs: int, **parameters: Parameter
    ) -> list[str]:
        """Append an operation with several outputs and return their names."""
        stem = f"{op}_{len(self._nodes)}"
        outputs = [f"{stem}_{number}" for number in range(n_outputs)]
        names = ["" if value is None else self._name(value) for value in inputs]
        node = helper.make_node(op, names, outputs, name=stem)
        node.attribute.extend(helper.make_attribute(*named) for named in parameters.items())
        self._nodes.append(node)
        return outputs

    def name_output(self, value: Value, name: str) -> None:
        """Let a value be known by this name."""
        self._nodes.append(helper.make_node("Identity", [self._name(value)], [name], name=name))

    def model(
        self, name: str, inputs: dict[str, tuple[int, ...]], outputs: dict[str, tuple[int, ...]]
    ) -> onnx.ModelProto:
        """Return the finished model, checked; all inputs and outputs are float32."""
        nodes = needed(self._nodes, outputs)
        read = {name for node in nodes for name in node.input}
        constants = [constant for constant in self._constants if constant.name in read]
        graph = helper.make_graph(nodes, name, _ports(inputs), _ports(outputs), constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        model.producer_name = "farwatch"
        onnx.checker.check_model(model, full_check=True)
        return model

    def _name(self, value: Value) -> str:
        if isinstance(value, str):
            return value
        name = f"constant_{len(self._constants)}"
        # asarray, not ascontiguousarray: that would turn a scalar into a vector.
        self._constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name


def needed(nodes: Sequence[onnx.NodeProto], outputs: Iterable[str]) -> list[onnx.NodeProto]:
    """Return the nodes that these outputs need: what was taken into another is none."""
    wanted = set(outputs)
    kept: list[onnx.NodeProto] = []
    for node in reversed(nodes):
        if not wanted.isdisjoint(node.output):
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]


def _ports(shapes: dict[str, tuple[int, ...]]) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]
