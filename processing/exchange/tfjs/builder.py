"""An ONNX graph under construction."""

from collections.abc import Sequence
from typing import Final, TypeAlias

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


class Builder:
    """Collects nodes and constants, in the order in which they are needed."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

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
        graph = helper.make_graph(
            self._nodes, name, _ports(inputs), _ports(outputs), self._constants
        )
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


def _ports(shapes: dict[str, tuple[int, ...]]) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]
