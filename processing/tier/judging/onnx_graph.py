"""Makes a bundle's ONNX network take whole pictures, and as many at once as there are.

Pictures enter as the bytes that they are: a quarter of what the network's own floats would be on
their way to a GPU. Mean, scale and order of axes are nodes in front of it. Networks are commonly
exported for one picture; the batch axis is set free where what was written down of it can be left
to the runtime. Whether that was right for this network is for whoever runs it to try.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from processing.inference.input_spec import InputSpec
from processing.inference.thresholds import Thresholds

PICTURES: Final = "farwatch.pictures"
"""The input: uint8 (n, height, width, 3), in the network's order of colours."""

_PREFIX: Final = "farwatch."
_BATCH: Final = "n"
_TO_CHANNELS_FIRST: Final = (0, 3, 1, 2)
_AS_COPIED: Final = 0
"""In the target of a reshape: this side is as it was."""
_FIRST_LIMIT: Final = 2
"""Inputs of suppression: boxes, scores, how many of a class, overlap, score."""


def take_pictures(
    model: onnx.ModelProto, spec: InputSpec, thresholds: Thresholds
) -> onnx.ModelProto:
    """Return the network with `PICTURES` as its input, of one picture, under these thresholds."""
    taken = onnx.ModelProto()
    taken.CopyFrom(model)
    graph = taken.graph
    del graph.value_info[:]
    given = next((port for port in graph.input if port.name == spec.tensor), None)
    if given is None:
        raise ValueError(f"the network has no input {spec.tensor!r}")
    graph.input.remove(given)
    shape = (1, spec.height, spec.width, 3)
    graph.input.append(helper.make_tensor_value_info(PICTURES, TensorProto.UINT8, shape))
    steps = list(_steps_before(spec, graph))
    nodes = [*steps, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    _set_thresholds(graph, thresholds)
    return taken


def free_batch(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a network of `take_pictures` with its batch axis free."""
    known = onnx.shape_inference.infer_shapes(model)
    first_sides = dict(_first_sides(known.graph))
    freed = onnx.ModelProto()
    freed.CopyFrom(model)
    graph = freed.graph
    _name_first_side(next(port for port in graph.input if port.name == PICTURES))
    for port in graph.output:
        _name_first_side(port)
    constants = _constants(graph)
    of_pictures = {PICTURES}
    for node in graph.node:
        if of_pictures.isdisjoint(node.input):
            continue
        of_pictures.update(node.output)
        if node.op_type == "Reshape" and first_sides.get(node.input[0]) == 1:
            target = constants.get(node.input[1])
            if target is not None and target[:1].tolist() == [1]:
                copied = target.copy()
                copied[0] = _AS_COPIED
                node.input[1] = _add(graph, copied)
    return freed


def _steps_before(spec: InputSpec, graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Yield the nodes that turn pictures into the network's own numbers."""
    last = f"{_PREFIX}scaled" if not spec.is_channels_last else spec.tensor
    mean = _add(graph, np.array(spec.mean, np.float32))
    scale = _add(graph, np.array(spec.scale, np.float32))
    values, centred = f"{_PREFIX}values", f"{_PREFIX}centred"
    yield helper.make_node("Cast", [PICTURES], [values], to=TensorProto.FLOAT)
    yield helper.make_node("Sub", [values, mean], [centred])
    yield helper.make_node("Div", [centred, scale], [last])
    if not spec.is_channels_last:
        yield helper.make_node("Transpose", [last], [spec.tensor], perm=_TO_CHANNELS_FIRST)


def _set_thresholds(graph: onnx.GraphProto, thresholds: Thresholds) -> None:
    """Let the manifest's thresholds hold in a network that suppresses by itself."""
    limits: tuple[NDArray[np.float32] | NDArray[np.int64], ...] = (
        np.array([thresholds.max_detections], np.int64),
        np.array([thresholds.nms_iou], np.float32),
        np.array([thresholds.score_floor], np.float32),
    )
    for node in graph.node:
        if node.op_type == "NonMaxSuppression":
            n_given = len(node.input)
            node.input.extend([""] * (_FIRST_LIMIT + len(limits) - n_given))
            for number, limit in enumerate(limits, start=_FIRST_LIMIT):
                node.input[number] = _add(graph, limit)


def _add(graph: onnx.GraphProto, value: NDArray[np.float32] | NDArray[np.int64]) -> str:
    name = f"{_PREFIX}constant_{len(graph.initializer)}"
    graph.initializer.append(numpy_helper.from_array(value, name))
    return name


def _constants(graph: onnx.GraphProto) -> dict[str, NDArray[np.int64]]:
    """Return what is known of small lists of whole numbers: targets of reshapes."""
    found = {each.name: each for each in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            values = (each.t for each in node.attribute if each.name == "value")
            found.update((node.output[0], value) for value in values)
    return {
        name: numpy_helper.to_array(each)
        for name, each in found.items()
        if each.data_type == TensorProto.INT64 and len(each.dims) == 1
    }


def _first_sides(graph: onnx.GraphProto) -> Iterator[tuple[str, int]]:
    for port in (*graph.input, *graph.value_info, *graph.output):
        sides = port.type.tensor_type.shape.dim
        if sides and sides[0].HasField("dim_value"):
            yield port.name, int(sides[0].dim_value)


def _name_first_side(port: onnx.ValueInfoProto) -> None:
    """Let the runtime find how long the first axis is."""
    sides = port.type.tensor_type.shape.dim
    if sides:
        sides[0].dim_param = _BATCH
