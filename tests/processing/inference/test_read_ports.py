"""What a network takes and gives can be read from its file."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from processing.inference.network import RuntimeRefused
from processing.inference.ports import Port, read_ports, write_ir


def save_flattening(path: Path, shape: tuple[int | str, ...]) -> Path:
    """Write a network that makes rows of 3 numbers of a picture; sides may be free."""
    port = helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)
    rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ("n", "m", 3))
    target = helper.make_tensor("shape", TensorProto.INT64, (3,), (0, -1, 3))
    node = helper.make_node("Reshape", ["image", "shape"], ["rows"])
    graph = helper.make_graph([node], "flatten", [port], [rows], [target])
    opset = helper.make_opsetid("", 18)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=9), path)
    return path


def test_it_works(tmp_path: Path) -> None:
    ports = read_ports(save_flattening(tmp_path / "n.onnx", (1, 3, 4, 6)))
    assert ports.inputs == (Port("image", (3, 4, 6)),)
    assert ports.outputs == (Port("rows", (24, 3)),)


def test_a_free_batch_axis_hides_nothing(tmp_path: Path) -> None:
    ports = read_ports(save_flattening(tmp_path / "n.onnx", ("n", 3, 4, 6)))
    assert ports.outputs == (Port("rows", (24, 3)),)


def test_a_free_side_is_told(tmp_path: Path) -> None:
    ports = read_ports(save_flattening(tmp_path / "n.onnx", (1, 3, "height", 6)))
    assert ports.inputs == (Port("image", (3, -1, 6)),)


def test_the_converted_form_has_the_same_ends(tmp_path: Path) -> None:
    source = save_flattening(tmp_path / "n.onnx", (1, 3, 4, 6))
    write_ir(source, tmp_path / "n.xml")
    assert read_ports(tmp_path / "n.xml") == read_ports(source)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "n.onnx").write_bytes(b"no network at all")
    with pytest.raises(RuntimeRefused):
        read_ports(tmp_path / "n.onnx")
    with pytest.raises(RuntimeRefused):
        write_ir(tmp_path / "n.onnx", tmp_path / "n.xml")
