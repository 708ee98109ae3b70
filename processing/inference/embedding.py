"""An embedding of a whole picture out of a detector's own backbone: one small output more.

The deepest feature map, averaged over its cells, says what is in a picture and little of where.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import openvino  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray

from processing.inference.detector import Embedding

OUTPUT: Final = "farwatch.embedding"
"""Name of the output that is added: (1, d) float32."""

_MAPS: Final = frozenset({"Convolution", "GroupConvolution", "AvgPool", "MaxPool"})
"""Whatever layout a network came in, OpenVINO's maps of these have the axes of NCHW."""
_SHAPE: Final = "ShapeOf"
_LEAST_SIDE: Final = 4
_MOST_CHANNELS: Final = 1024
_MOST_STEPS: Final = 12


@dataclass(frozen=True, slots=True)
class _Map:
    """A feature map."""

    node: Any  # OpenVINO ships no types
    channels: int
    cells: int
    place: int
    """In the order of computation."""

    @property
    def name(self) -> str:
        return str(self.node.get_friendly_name())


def add_embedding(model: Any) -> None:  # OpenVINO ships no types
    """Add the output `OUTPUT` to a network of fixed shapes, unless it has no map to take it from.

    Taken is the map of fewest cells (at least 4 x 4), and of these the one of most channels (1024
    at the most), of those that every output is computed from. Where a network mixes its coarse maps
    into finer ones, only maps that are mixed in count: what comes later belongs to the heads.
    """
    maps = _maps(model)
    shared = set.intersection(*(_upstream(result) for result in model.get_results()))
    finest = _finest_downstream(model, maps)
    deep = [
        each for each in maps.values() if each.name in shared and each.channels <= _MOST_CHANNELS
    ]
    deep = [each for each in deep if finest[each.name] > each.cells] or deep
    if not deep:
        return
    deepest = min(deep, key=lambda each: (each.cells, -each.channels, -each.place))
    end = _after_activation(deepest.node, _moving(model))
    average = _average(end.output(0), deepest)
    average.get_tensor().set_names({OUTPUT})
    model.add_outputs([average])


def _average(values: Any, deepest: _Map) -> Any:
    """Return the output (1, d): the mean over all cells of a map.

    As a product of matrices. OpenVINO computes what leads to an output in float32, back to the
    first product or convolution; a plain mean would change how the map itself is rounded.
    """
    ops = openvino.opset13
    rows = ops.reshape(values, np.array([deepest.channels, deepest.cells]), special_zero=False)
    share = np.full((deepest.cells, 1), 1.0 / deepest.cells, np.float32)
    mean = ops.matmul(rows, ops.constant(share), transpose_a=False, transpose_b=False)
    return ops.reshape(mean, np.array([1, deepest.channels]), special_zero=False).output(0)


def normalised(average: NDArray[np.float32]) -> Embedding:
    """Return the averages (d,) of a map with length 1; all zero stays as it is."""
    length = float(np.linalg.norm(average))
    return (average / max(length, 1e-12)).astype(np.float16)


def _maps(model: Any) -> dict[str, _Map]:
    """Return all maps of at least 4 x 4 cells, by name."""
    found: dict[str, _Map] = {}
    for place, node in enumerate(model.get_ordered_ops()):
        if node.get_type_name() not in _MAPS:
            continue
        shape = node.get_output_partial_shape(0)
        if shape.is_dynamic or len(shape) != len("NCHW"):
            continue
        _, channels, height, width = (int(side) for side in shape.to_shape())
        if min(height, width) >= _LEAST_SIDE:
            each = _Map(node, channels, height * width, place)
            found[each.name] = each
    return found


def _upstream(node: Any) -> set[str]:
    """Return the names of all nodes that this one is computed from, and its own."""
    names: set[str] = set()
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if each.get_friendly_name() not in names:
            names.add(each.get_friendly_name())
            waiting.extend(_sources(each))
    return names


def _finest_downstream(model: Any, maps: dict[str, _Map]) -> dict[str, int]:
    """Return by name the most cells that a map computed from a node has; 0 where there is none."""
    finest: dict[str, int] = {}
    for node in reversed(model.get_ordered_ops()):
        name = node.get_friendly_name()
        here = maps[name].cells if name in maps else 0
        finest.setdefault(name, 0)
        for source in _sources(node):
            behind = source.get_friendly_name()
            finest[behind] = max(finest.get(behind, 0), finest[name], here)
    return finest


def _moving(model: Any) -> set[str]:
    """Return the names of the nodes whose values depend on the picture."""
    moving: set[str] = set()
    for node in model.get_ordered_ops():
        sources = {each.get_friendly_name() for each in _sources(node)}
        if node.get_type_name() == "Parameter" or sources & moving:
            moving.add(node.get_friendly_name())
    return moving


def _sources(node: Any) -> list[Any]:
    """Return the nodes whose values this one reads; of some, only their shape is asked."""
    if node.get_type_name() == _SHAPE:
        return []
    return [
        node.input(index).get_source_output().get_node() for index in range(node.get_input_size())
    ]


def _after_activation(node: Any, moving: set[str]) -> Any:
    """Return where what follows a map cell by cell ends: bias, activation, quantisation.

    OpenVINO runs all of them as one with the convolution, unless somebody looks in between; then
    it also rounds elsewhere. An activation may be several nodes (x * sigmoid(x)): the end is the
    last node through which alone all of them are seen from outside.
    """
    inside = {node.get_friendly_name(): node}
    end = node
    while len(inside) <= _MOST_STEPS:
        step = next((each for each in _followers(inside) if _is_step(each, inside, moving)), None)
        if step is None:
            break
        inside[step.get_friendly_name()] = step
        ways_out = [each for each in inside.values() if _is_seen_outside(each, inside)]
        if len(ways_out) == 1:
            end = ways_out[0]
    return end


def _followers(inside: dict[str, Any]) -> list[Any]:
    return [
        follower
        for node in inside.values()
        for follower in _readers(node)
        if follower.get_friendly_name() not in inside
    ]


def _readers(node: Any) -> list[Any]:
    """Return the nodes that read this one's values."""
    readers = [port.get_node() for port in node.output(0).get_target_inputs()]
    return [each for each in readers if each.get_type_name() != _SHAPE]


def _is_seen_outside(node: Any, inside: dict[str, Any]) -> bool:
    return any(each.get_friendly_name() not in inside for each in _readers(node))


def _is_step(node: Any, inside: dict[str, Any], moving: set[str]) -> bool:
    """Return whether a node changes the map cell by cell, with nothing else from the picture."""
    sources = {each.get_friendly_name() for each in _sources(node)} & moving
    shape = next(iter(inside.values())).get_output_partial_shape(0)
    return bool(
        node.get_type_name() not in _MAPS
        and node.get_output_size() == 1
        and node.get_output_partial_shape(0) == shape
        and sources <= inside.keys()
    )
