"""An INT8 form that loses accuracy is not kept; one that does not is."""

from pathlib import Path

import cv2
import msgspec
import numpy as np
import onnx
import pytest

from deploy import int8_form
from deploy.bundle_from_onnx import INT8_REFUSED, main
from processing.inference.bundle import Bundle
from processing.inference.ports import write_ir
from processing.inference.quantize import Recipe
from tests.processing.tiny_bundle import CELL, LABELS, SIDE, make_tiny_bundle, picture

N_PICTURES = 12


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """A network that finds patches of colour, and pictures of such patches, with annotations."""
    (tmp_path / "images").mkdir()
    images, annotations = [], []
    for number in range(N_PICTURES):
        patches = [(LABELS[number % 3], number % 7, number % 5), ("red", 7 - number % 7, 6)]
        cv2.imwrite(str(tmp_path / "images" / f"{number}.jpg"), picture(*patches))
        images.append({"id": number, "file_name": f"{number}.jpg", "width": SIDE, "height": SIDE})
        annotations += [_annotation(number, *patch) for patch in patches]
    categories = [{"id": index + 1, "name": name} for index, name in enumerate(LABELS)]
    dataset = {"images": images, "categories": categories, "annotations": annotations}
    (tmp_path / "truth.json").write_bytes(msgspec.json.encode(dataset))
    (tmp_path / "labels.txt").write_text("\n".join(LABELS))
    make_tiny_bundle(tmp_path / "tiny")
    return [
        *("--model", str(tmp_path / "tiny" / "network.onnx"), "--kind", "nanodet"),
        *("--labels", str(tmp_path / "labels.txt"), "--out", str(tmp_path / "bundle")),
        *("--name", "mine", "--version", "1", "--licence", "0BSD"),
        *("--mean", "0,0,0", "--scale", "255,255,255"),
        *("--images", str(tmp_path / "images"), "--annotations", str(tmp_path / "truth.json")),
        "--int8",
    ]


def _annotation(image: int, colour: str, column: int, row: int) -> dict[str, object]:
    left, top = (max(0, cell * CELL - CELL // 2) for cell in (column, row))
    right, bottom = (min(SIDE, cell * CELL + 3 * CELL // 2) for cell in (column, row))
    box = (left, top, right - left, bottom - top)
    return {"image_id": image, "category_id": LABELS.index(colour) + 1, "bbox": box}


def break_quantising(monkeypatch: pytest.MonkeyPatch, *broken: str) -> list[str]:
    """Let these recipes give a blind network, the others a whole one; return what was tried."""
    tried: list[str] = []

    def quantize(source: Path, target: Path, *, recipe: Recipe, **_options: object) -> None:
        tried.append(recipe.name)
        network = onnx.load(source)
        if recipe.name in broken:
            for constant in network.graph.initializer:
                if constant.data_type == onnx.TensorProto.FLOAT:
                    zeros = np.zeros(tuple(constant.dims), np.float32)
                    constant.CopyFrom(onnx.numpy_helper.from_array(zeros, constant.name))
        onnx.save(network, target.with_suffix(".onnx"))
        write_ir(target.with_suffix(".onnx"), target)
        target.with_suffix(".onnx").unlink()

    monkeypatch.setattr(int8_form, "quantize", quantize)
    return tried


def titles(bundle: Path) -> list[str]:
    return [artifact.title for artifact in Bundle.open(bundle).manifest.artifacts]


def test_it_works(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    assert titles(tmp_path / "bundle") == ["openvino-int8", "onnx-fp32"]
    manifest = Bundle.open(tmp_path / "bundle").manifest
    figures = {m.artifact: m.value for m in manifest.metrics if m.name == "map_50_95"}
    assert figures["onnx-fp32"] > 0.5
    assert figures["openvino-int8"] >= figures["onnx-fp32"] - 0.01
    assert "preset mixed, on 12 pictures" in manifest.provenance.steps[-1]


def test_without_annotated_pictures_of_its_labels_there_is_no_bundle(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "labels.txt").write_text("blue\ngreen\npink\n")
    assert main(arguments) == 1
    assert "categories that the bundle does not know: red" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()


def test_where_plain_quantising_breaks_a_network_the_careful_way_is_tried(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = break_quantising(monkeypatch, "plain")
    assert main(arguments) == 0
    assert tried == ["plain", "careful"]
    assert titles(tmp_path / "bundle") == ["openvino-int8", "onnx-fp32"]
    steps = Bundle.open(tmp_path / "bundle").manifest.provenance.steps
    assert "preset mixed, leaving alone GroupConvolution" in steps[-1]


def test_where_both_ways_break_it_the_bundle_has_no_int8_and_says_so(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    break_quantising(monkeypatch, "plain", "careful")
    assert main(arguments) == INT8_REFUSED
    assert titles(tmp_path / "bundle") == ["onnx-fp32"]
    assert "no INT8: plain loses" in capsys.readouterr().err
    assert {each.artifact for each in Bundle.open(tmp_path / "bundle").manifest.metrics} == {
        "onnx-fp32"
    }
