"""Lets a network of distances and scores decode and suppress by itself, natively.

Suppression in a network has thresholds of its own, which the engine replaces by the manifest's.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from processing.exchange.tfjs.builder import needed
from processing.inference.heads.distances import DistanceHead
from processing.inference.heads.grid import cell_corners, n_cells
from processing.inference.heads.suppressed import SuppressedHead
from processing.inference.input_spec import InputSpec
from processing.inference.thresholds import Thresholds

SUPPRESSED: Final = SuppressedHead(boxes="boxes", scores="scores", kept="kept")
PREFIX: Final = "tail."
"""Names of all that is added begin so."""

_CELLS_LAST: Final = (0, 2, 1)
_FLOAT: Final = TensorProto.FLOAT


def with_tail(
    body: onnx.ModelProto,
    head: DistanceHead,
    spec: InputSpec,
    *,
    n_labels: int,
    thresholds: Thresholds,
) -> onnx.ModelProto:
    """Return the network with the outputs of `SUPPRESSED` instead of its own, which `head` reads.

    The network is taken apart for it. Raise `ValueError` if an output is no transpose.
    """
    tail = _Tail(body.graph)
    cells = [n_cells(spec, level.stride) for level in head.levels]
    scores = tail.add(
        "Concat", *(tail.cells_last(level.scores) for level in head.levels), name="scores", axis=2
    )
    distances = [
        tail.distances(level.distances, number, head.n_bins)
        for level, number in zip(head.levels, cells, strict=True)
    ]
    steps, centres = _ways_from_centres(head, spec)
    sides = tail.add("Mul", tail.add("Concat", *distances, axis=2), steps)
    boxes = tail.add("Transpose", tail.add("Add", sides, centres), name="boxes", perm=_CELLS_LAST)
    limits = (
        np.array([thresholds.max_detections], np.int64),
        np.array([thresholds.nms_iou], np.float32),
        np.array([thresholds.score_floor], np.float32),
    )
    kept = tail.add("NonMaxSuppression", boxes, scores, *limits)
    tail.add("Unsqueeze", kept, np.array([0], np.int64), name="kept")
    n_all = sum(cells)
    return tail.finish(
        body,
        (
            helper.make_tensor_value_info("boxes", _FLOAT, (1, n_all, 4)),
            helper.make_tensor_value_info("scores", _FLOAT, (1, n_labels, n_all)),
            helper.make_tensor_value_info("kept", TensorProto.INT64, (1, None, 3)),
        ),
    )


class _Tail:
    """Nodes and constants behind a network's own."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._body = graph
        self._maker = {output: node for node in graph.node for output in node.output}
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def add(
        self,
        op: str,
        *inputs: str | NDArray[np.generic],
        name: str | None = None,
        **parameters: int | Sequence[int],
    ) -> str:
        """Append an operation; return its output, which is called `name` if one is given."""
        output = name or f"{PREFIX}{op}_{len(self._nodes)}"
        sources = [each if isinstance(each, str) else self._constant(each) for each in inputs]
        node = helper.make_node(op, sources, [output], name=output)
        node.attribute.extend(helper.make_attribute(*named) for named in parameters.items())
        self._nodes.append(node)
        return output

    def cells_last(self, output: str) -> str:
        """Return an output (1, cells, depth) before it was transposed: (1, depth, cells)."""
        node = self._maker[output]
        while node.op_type == "Identity":
            node = self._maker[node.input[0]]
        orders = [tuple(each.ints) for each in node.attribute if each.name == "perm"]
        if node.op_type != "Transpose" or orders != [_CELLS_LAST]:
            raise ValueError(f"output {output!r} is no transpose of (1, depth, cells)")
        return str(node.input[0])

    def distances(self, output: str, cells: int, n_bins: int) -> str:
        """Return the mean bin (1, 4, cells) of an output's distributions."""
        shape = np.array([1, 4, n_bins, cells], np.int64)
        logits = self.add("Reshape", self.cells_last(output), shape)
        shares = self.add("Softmax", logits, axis=2)
        bins = np.arange(n_bins, dtype=np.float32).reshape(1, 1, n_bins, 1)
        weighted = self.add("Mul", shares, bins)
        return self.add("ReduceSum", weighted, np.array([2], np.int64), keepdims=0)

    def finish(
        self, model: onnx.ModelProto, outputs: Sequence[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        nodes = needed([*self._body.node, *self._nodes], (port.name for port in outputs))
        graph = helper.make_graph(
            nodes,
            self._body.name,
            self._body.input,
            outputs,
            [*self._body.initializer, *self._constants],
        )
        whole = helper.make_model(graph, opset_imports=model.opset_import)
        whole.ir_version, whole.producer_name = model.ir_version, model.producer_name
        onnx.checker.check_model(whole, full_check=True)
        return whole

    def _constant(self, value: NDArray[np.generic]) -> str:
        name = f"{PREFIX}constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(value, name))
        return name


def _ways_from_centres(
    head: DistanceHead, spec: InputSpec
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (1, 4, cells): what a bin means, and where it is counted from; pixels."""
    steps, centres = [], []
    for level in head.levels:
        corners = cell_corners(spec, level.stride).T
        middle = (corners + 0.5) * level.stride + head.centre_shift
        centres.append(np.concatenate((middle, middle)))
        signs = np.array([-1.0, -1.0, 1.0, 1.0])[:, np.newaxis]
        steps.append(np.repeat(signs * level.stride, corners.shape[1], axis=1))
    return (
        np.concatenate(steps, axis=1).astype(np.float32)[np.newaxis],
        np.concatenate(centres, axis=1).astype(np.float32)[np.newaxis],
    )
