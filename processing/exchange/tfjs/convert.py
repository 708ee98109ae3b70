"""From a TensorFlow.js graph to an ONNX model."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

import onnx

from processing.exchange.tfjs.builder import Builder, Value
from processing.exchange.tfjs.graph import Graph, Node, NotConvertible
from processing.exchange.tfjs.operations import OPERATIONS


def to_onnx(graph: Graph, *, name: str, names: Mapping[str, str]) -> onnx.ModelProto:
    """Return the part of the graph that leads to the outputs in `names`, as ONNX.

    `names` says what each input and wanted output of the graph is called from now on. Raise
    `NotConvertible` that names the operation at fault.
    """
    builder = Builder()
    outputs = [output for output in names if output not in graph.inputs]
    values: dict[str, list[Value]] = {}
    for node in _ordered(graph, outputs):
        values[node.name] = _convert(builder, graph, node, values, names)
    for output in outputs:
        builder.name_output(values[output][0], names[output])
    try:
        return builder.model(
            name,
            inputs={names[node]: shape for node, shape in graph.inputs.items()},
            outputs={names[node]: graph.outputs[node] for node in outputs},
        )
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise NotConvertible(f"the converted model does not hold together: {error}") from error


def _ordered(graph: Graph, outputs: list[str]) -> list[Node]:
    """Return the nodes that the outputs need, each after those that it needs."""
    needs: dict[str, list[str]] = {}
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        if name in needs:
            continue
        if name not in graph.nodes:
            raise NotConvertible(f"the graph has no node {name!r}")
        needs[name] = [source for source, _ in graph.nodes[name].inputs]
        waiting.extend(needs[name])
    try:
        return [graph.nodes[name] for name in TopologicalSorter(needs).static_order()]
    except CycleError as error:
        raise NotConvertible("the graph has a cycle") from error


def _convert(
    builder: Builder,
    graph: Graph,
    node: Node,
    values: Mapping[str, list[Value]],
    names: Mapping[str, str],
) -> list[Value]:
    if node.op == "Placeholder":
        if node.name not in graph.inputs or node.name not in names:
            raise NotConvertible(f"input {node.name} has no shape or no name")
        return [names[node.name]]
    if node.op == "Const":
        if node.name not in graph.weights:
            raise NotConvertible(f"constant {node.name} has no value")
        return [graph.weights[node.name]]
    if node.op not in OPERATIONS:
        raise NotConvertible(f"operation {node.op} of node {node.name} is not known")
    try:
        inputs = [values[source][number] for source, number in node.inputs]
        return list(OPERATIONS[node.op](builder, node, inputs))
    except NotConvertible:
        raise
    except (ValueError, IndexError) as error:
        raise NotConvertible(f"{node.op} {node.name} has the wrong inputs: {error}") from error
