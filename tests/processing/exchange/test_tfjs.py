"""A TensorFlow.js graph becomes ONNX that computes the same; what is not known is named."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from processing.exchange.tfjs.convert import to_onnx
from processing.exchange.tfjs.graph import NotConvertible, read_graph

Json = dict[str, Any]


class Model:
    """Writes a graph model down, node by node."""

    def __init__(self, *shape: int) -> None:
        self.nodes: list[Json] = [{"name": "x", "op": "Placeholder", "attr": {}}]
        self.weights: list[Json] = []
        self.data = b""
        self.shape = shape

    def const(self, name: str, value: NDArray[Any], *, as_half: bool = False) -> str:
        self.nodes.append({"name": name, "op": "Const", "attr": {}})
        entry: Json = {"name": name, "shape": list(value.shape), "dtype": str(value.dtype)}
        if as_half:
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        self.weights.append(entry)
        self.data += value.astype(np.float16 if as_half else value.dtype).tobytes()
        return name

    def node(self, name: str, op: str, *inputs: str, **attributes: Json) -> str:
        self.nodes.append({"name": name, "op": op, "input": list(inputs), "attr": attributes})
        return name

    def json(self, **outputs: tuple[int, ...]) -> bytes:
        model = {
            "format": "graph-model",
            "signature": {
                "inputs": {"x:0": port(self.shape)},
                "outputs": {f"{name}:0": port(shape) for name, shape in outputs.items()},
            },
            "modelTopology": {"node": self.nodes, "versions": {}},
            "weightsManifest": [{"paths": ["w.bin"], "weights": self.weights}],
        }
        return json.dumps(model).encode()

    def convert(self, **outputs: tuple[int, ...]) -> onnx.ModelProto:
        graph = read_graph(self.json(**outputs), self.data)
        return to_onnx(graph, name="test", names={"x": "x"} | {name: name for name in outputs})


def port(shape: tuple[int, ...]) -> Json:
    # 64-bit integers are strings in the JSON of protocol buffers.
    dimensions = [{"size": str(size)} for size in shape]
    return {"name": "", "dtype": "DT_FLOAT", "tensorShape": {"dim": dimensions}}


def text(value: str) -> Json:
    return {"s": base64.b64encode(value.encode()).decode()}


def integers(*values: int) -> Json:
    return {"list": {"i": [str(value) for value in values]}}


def run(model: onnx.ModelProto, x: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [np.asarray(output) for output in ReferenceEvaluator(model).run(None, {"x": x})]


def random(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


CONV: Mapping[str, Json] = {
    "strides": integers(1, 2, 2, 1),
    "dilations": integers(1, 1, 1, 1),
    "padding": text("VALID"),
    "data_format": text("NHWC"),
}


def test_it_works() -> None:
    model = Model(1, 6, 6, 3)
    weights = random(2, 2, 3, 4)
    model.const("w", weights, as_half=True)
    model.const("b", random(4))
    model.node("conv", "Conv2D", "x", "w", **CONV)
    model.node("sum", "AddV2", "conv", "b")
    model.node("leaky", "LeakyRelu", "sum", alpha={"f": 0.1})
    model.node("out", "Identity", "leaky")
    x = random(1, 6, 6, 3)
    (found,) = run(model.convert(out=(1, 3, 3, 4)), x)
    patches = x.reshape(3, 2, 3, 2, 3).transpose(0, 2, 1, 3, 4)  # (row, column, y, x, channel)
    half = weights.astype(np.float16).astype(np.float32)
    expected = np.einsum("rcyxi,yxio->rco", patches, half) + random(4)
    expected = np.where(expected > 0, expected, 0.1 * expected)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


def test_pad_pool_and_resize() -> None:
    model = Model(1, 2, 2, 1)
    model.const("widths", np.array([[0, 0], [1, 1], [2, 2], [0, 0]], np.int32))
    model.const("fill", np.float32(-5.0) * np.ones((), np.float32))
    model.node("pad", "PadV2", "x", "widths", "fill")
    pool = {"ksize": integers(1, 2, 2, 1), "strides": integers(1, 2, 2, 1)}
    model.node("pool", "MaxPool", "pad", padding=text("VALID"), **pool)
    model.const("size", np.array([4, 6], np.int32))
    model.node("big", "ResizeBilinear", "x", "size", half_pixel_centers={"b": True})
    x = np.array([[1, 2], [3, 4]], np.float32).reshape(1, 2, 2, 1)
    pooled, big = run(model.convert(pool=(1, 2, 3, 1), big=(1, 4, 6, 1)), x)
    assert pooled[0, :, :, 0].tolist() == [[-5, 2, -5], [-5, 4, -5]]
    assert big.shape == (1, 4, 6, 1)
    assert (big[0, 0, 0, 0], big[0, -1, -1, 0]) == (1.0, 4.0)
    np.testing.assert_allclose(big.mean(), x.mean(), atol=1e-6)


def test_split_concat_transpose_reshape_and_sigmoid() -> None:
    model = Model(1, 2, 3)
    model.const("order", np.array([0, 2, 1], np.int32))
    model.node("turned", "Transpose", "x", "order")
    model.const("sizes", np.array([1, 2], np.int32))
    model.const("axis", np.array(1, np.int32))
    model.node("parts", "SplitV", "turned", "sizes", "axis")
    model.node("swapped", "ConcatV2", "parts:1", "parts", "axis")
    model.node("soft", "Sigmoid", "swapped")
    model.const("one", np.array([1], np.int32))
    model.const("six", np.array([6], np.int32))
    model.const("zero", np.array(0, np.int32))
    model.node("flat", "ConcatV2", "one", "six", "zero")
    model.node("out", "Reshape", "soft", "flat")
    x = random(1, 2, 3)
    (found,) = run(model.convert(out=(1, 6)), x)
    turned = x.transpose(0, 2, 1)
    swapped = np.concatenate((turned[:, 1:], turned[:, :1]), axis=1)
    np.testing.assert_allclose(found[0], 1 / (1 + np.exp(-swapped.ravel())), atol=1e-6)


def test_an_empty_sparse_tensor_is_filled_with_its_default() -> None:
    model = Model(6)
    model.const("where", np.empty((0, 1), np.int32))
    model.const("length", np.array([2], np.int32))
    model.const("values", np.empty(0, np.int32))
    model.const("one", np.array(1, np.int32))
    model.node("ones", "SparseToDense", "where", "length", "values", "one")
    model.const("more", np.array([1, 2], np.int32))
    model.node("shape", "AddV2", "ones", "more")
    model.node("out", "Reshape", "x", "shape")
    x = random(6)
    (found,) = run(model.convert(out=(2, 3)), x)
    np.testing.assert_array_equal(found, x.reshape(2, 3))


def test_what_leads_to_no_wanted_output_is_left_out() -> None:
    model = Model(1, 2)
    model.node("odd", "NoSuchOperation", "x")
    model.node("out", "Sigmoid", "x")
    assert [node.op_type for node in model.convert(out=(1, 2)).graph.node] == [
        "Sigmoid",
        "Identity",
    ]


def test_an_unknown_operation_is_named() -> None:
    model = Model(1, 2)
    model.node("out", "FusedBatchNormV3", "x")
    with pytest.raises(NotConvertible, match="operation FusedBatchNormV3 of node out"):
        model.convert(out=(1, 2))


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"data_format": text("NCHW")}, "layout NCHW"),
        ({"padding": text("EXPLICIT")}, "padding 'EXPLICIT'"),
        ({"strides": integers(2, 1, 1, 1)}, "strides"),
    ],
    ids=["layout", "padding", "strides"],
)
def test_a_convolution_of_another_kind_is_refused(attributes: Json, says: str) -> None:
    model = Model(1, 6, 6, 3)
    model.const("w", random(2, 2, 3, 4))
    model.node("out", "Conv2D", "x", "w", **{**CONV, **attributes})
    with pytest.raises(NotConvertible, match=says):
        model.convert(out=(1, 3, 3, 4))


def test_a_parameter_that_is_computed_is_refused() -> None:
    model = Model(2)
    model.node("out", "Transpose", "x", "x")
    with pytest.raises(NotConvertible, match="computed while the network runs"):
        model.convert(out=(2,))


def test_a_cycle_is_refused() -> None:
    model = Model(2)
    model.node("a", "AddV2", "x", "b")
    model.node("b", "Identity", "a")
    with pytest.raises(NotConvertible, match="cycle"):
        model.convert(b=(2,))


def test_a_missing_node_is_named() -> None:
    model = Model(2)
    model.node("out", "Sigmoid", "ghost")
    with pytest.raises(NotConvertible, match="'ghost'"):
        model.convert(out=(2,))


def test_too_few_inputs_are_named() -> None:
    model = Model(2)
    model.node("out", "AddV2", "x")
    with pytest.raises(NotConvertible, match="AddV2 out has the wrong inputs"):
        model.convert(out=(2,))


@pytest.mark.parametrize("n_bytes", [-4, 4], ids=["short", "long"])
def test_weights_of_the_wrong_length_are_refused(n_bytes: int) -> None:
    model = Model(2)
    model.const("w", random(3))
    data = model.data[:n_bytes] if n_bytes < 0 else model.data + bytes(n_bytes)
    with pytest.raises(NotConvertible, match="weights"):
        read_graph(model.json(), data)


@given(st.binary(max_size=100))
def test_no_bytes_make_it_raise_anything_else(content: bytes) -> None:
    with pytest.raises(NotConvertible):
        read_graph(content, b"")
