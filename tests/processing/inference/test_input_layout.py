"""A network may want its colours last, as TensorFlow's do."""

from pathlib import Path

import msgspec
import onnx
from msgspec.structs import replace as with_fields
from onnx import compose, helper

from processing.inference.bundle import Bundle
from processing.inference.engine import Engine
from processing.inference.input_spec import InputSpec
from tests.processing.tiny_bundle import LABELS, SIDE, describe, frame, write_manifest


def turn(folder: Path) -> Bundle:
    """Return the bundle with a network that wants its colours last."""
    port = helper.make_tensor_value_info("pixels", onnx.TensorProto.FLOAT, (1, SIDE, SIDE, 3))
    turned = helper.make_tensor_value_info("turned", onnx.TensorProto.FLOAT, (1, 3, SIDE, SIDE))
    node = helper.make_node("Transpose", ["pixels"], ["turned"], perm=(0, 3, 1, 2))
    network = onnx.load(folder / "network.onnx")
    before = helper.make_model(
        helper.make_graph([node], "turn", [port], [turned]),
        opset_imports=network.opset_import,
        ir_version=network.ir_version,
    )
    onnx.save(
        compose.merge_models(before, network, io_map=[("turned", "image")]), folder / "network.onnx"
    )
    manifest = describe(folder)
    spec = with_fields(manifest.input, tensor="pixels", layout="nhwc")
    write_manifest(folder, with_fields(manifest, input=spec))
    return Bundle.open(folder)


def test_it_works(folder: Path) -> None:
    engine = Engine.open(turn(folder), n_requests=1)
    for label, colour in enumerate(LABELS):
        assert engine.detect(frame((colour, 2, 5))).labels.tolist() == [label]
    engine.close()


def test_a_manifest_of_the_usual_layout_says_nothing_of_it(bundle: Bundle) -> None:
    written = msgspec.json.encode(bundle.manifest.input)
    assert b"layout" not in written
    assert msgspec.json.decode(written, type=InputSpec).shape == (1, 3, SIDE, SIDE)
    last = with_fields(bundle.manifest.input, layout="nhwc")
    again = msgspec.json.decode(msgspec.json.encode(last), type=InputSpec)
    assert again.shape == (1, SIDE, SIDE, 3)
    assert bundle.manifest.input.layout is msgspec.UNSET
