"""Anybody's network becomes a bundle, or it is said why not."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import pytest

from deploy.bundle_from_onnx import main
from deploy.own_bundle import Built, build_own_bundle
from deploy.own_model import CannotBundle, ModelUnfit, ModelUnreadable, OwnModel, SourceUnusable
from processing.inference.bundle import Bundle
from processing.inference.engine import Engine
from processing.media.colour import frame_from_bgr
from tests.deploy.stiff_networks import LABELS, NETWORKS, SEEN, SIDE, save_network, yolox

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def model(tmp_path: Path) -> OwnModel:
    """A whole YOLOX, with three labels."""
    (tmp_path / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS))
    return OwnModel(
        network=save_network(tmp_path / "mine.onnx", yolox()),
        kind="yolox",
        labels=tmp_path / "labels.txt",
        name="mine",
        version="3",
        licence="Apache-2.0",
    )


def build(model: OwnModel) -> Built:
    return build_own_bundle(
        model, out=model.labels.parent / "bundle", coco=None, on_step=lambda step: None
    )


def assert_sees_the_one_thing(bundle: Bundle) -> None:
    grey = np.full((SIDE, SIDE, 3), 128, np.uint8)
    with closing(Engine.open(bundle, n_requests=1)) as engine:
        found = engine.detect(frame_from_bgr(grey, captured_at=AT))
    assert [bundle.manifest.labels[label] for label in found.labels] == [SEEN[0]]
    np.testing.assert_allclose(found.xyxy[0], SEEN[1], atol=0.01)


@pytest.mark.parametrize("kind", NETWORKS)
def test_it_works(model: OwnModel, kind: str) -> None:
    network = save_network(model.network.with_name(f"{kind}.onnx"), NETWORKS[kind]())
    built = build(replace(model, kind=kind, network=network))
    manifest = built.bundle.manifest
    assert (manifest.name, manifest.version, manifest.labels) == ("mine", "3", LABELS)
    assert [licence.spdx for licence in manifest.licences] == ["Apache-2.0"]
    assert [artifact.title for artifact in manifest.artifacts] == ["onnx-fp32"]
    assert_sees_the_one_thing(built.bundle)


def test_a_network_that_wants_colours_last_is_recognised(model: OwnModel) -> None:
    network = save_network(model.network, NETWORKS["ssd"](), is_channels_last=True)
    bundle = build(replace(model, kind="ssd", network=network)).bundle
    assert bundle.manifest.input.layout == "nhwc"
    assert_sees_the_one_thing(bundle)


def test_the_column_of_nothing_needs_no_name(model: OwnModel) -> None:
    model.labels.write_text("\n".join(("???", *LABELS)))
    network = save_network(model.network, NETWORKS["ssd"]())
    assert build(replace(model, kind="ssd", network=network)).bundle.manifest.labels == LABELS


def test_what_a_network_was_trained_with_may_be_said(model: OwnModel) -> None:
    look = {"colour": "rgb", "mean": (1.0, 2.0, 3.0), "resize": "stretch", "pad": 7}
    spec = build(replace(model, look=look)).bundle.manifest.input
    assert (spec.colour, spec.mean, spec.resize, spec.pad) == ("rgb", (1.0, 2.0, 3.0), "stretch", 7)


def test_a_bundle_takes_the_place_of_an_older_one(model: OwnModel) -> None:
    build(model)
    assert build(replace(model, version="4")).bundle.manifest.version == "4"


def test_a_licence_text_goes_along(model: OwnModel, tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("Do what you like.\n")
    bundle = build(replace(model, licence_text=tmp_path / "LICENSE")).bundle
    assert bundle.locate(bundle.manifest.licences[0].file).read_text() == "Do what you like.\n"


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_of_another_kind_is_named_as_what_it_is(model: OwnModel, kind: str) -> None:
    other = "fastestdet" if kind == "yolox" else "yolox"
    network = save_network(model.network, NETWORKS[other]())
    with pytest.raises(ModelUnfit, match=rf"mine.onnx as {kind}: .* this network has 'output' \("):
        build(replace(model, kind=kind, network=network))


@pytest.mark.parametrize("kind", NETWORKS)
def test_labels_of_another_network_are_refused(model: OwnModel, kind: str) -> None:
    model.labels.write_text("blue\ngreen\n")
    network = save_network(model.network, NETWORKS[kind]())
    with pytest.raises(ModelUnfit, match="tells apart 3 labels, and there are names of 2"):
        build(replace(model, kind=kind, network=network))


def test_pictures_of_no_fixed_size_are_refused(model: OwnModel) -> None:
    network = onnx.load(model.network)
    network.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    onnx.save(network, model.network)
    with pytest.raises(ModelUnfit, match="fixed, even sides"):
        build(model)


def test_weights_in_other_files_are_refused(model: OwnModel) -> None:
    whole = onnx.load(model.network)
    onnx.save(whole, model.network, save_as_external_data=True, location="w.bin", size_threshold=0)
    with pytest.raises(ModelUnreadable, match="weights in other files: save it as one"):
        build(model)


@pytest.mark.parametrize("name", ["mine.onnx", "mine.tflite"])
def test_a_file_that_is_no_network_is_refused(model: OwnModel, name: str) -> None:
    network = model.network.with_name(name)
    network.write_bytes(b"no network at all")
    with pytest.raises(ModelUnreadable, match=f"{name} is no network"):
        build(replace(model, network=network))


def test_a_file_of_another_format_is_refused(model: OwnModel) -> None:
    with pytest.raises(ModelUnreadable, match=r"mine.pt is neither .onnx nor .tflite"):
        build(replace(model, network=model.network.with_name("mine.pt")))


def test_a_file_that_is_not_there_is_named(model: OwnModel) -> None:
    with pytest.raises(ModelUnreadable, match=r"nowhere.onnx cannot be read: No such file"):
        build(replace(model, network=model.network.with_name("nowhere.onnx")))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "has 0 names"),
        (b"a\nb\na\n", "names twice: a"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"a" * 201 + b"\nb\nc\n", "labels"),
        (b"\n" * 2_000_000, "larger than"),
    ],
)
def test_labels_that_are_none_are_refused(model: OwnModel, content: bytes, says: str) -> None:
    model.labels.write_bytes(content)
    with pytest.raises(SourceUnusable, match=says):
        build(model)


def test_a_look_that_no_manifest_may_have_is_refused(model: OwnModel) -> None:
    with pytest.raises(SourceUnusable, match="pad"):
        build(replace(model, look={"pad": 300}))


def test_nothing_is_left_of_a_refusal_and_nothing_else_is_overwritten(model: OwnModel) -> None:
    out = model.labels.parent / "bundle"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    before = sorted(model.labels.parent.rglob("*"))
    for wrong in (model, replace(model, kind="ssd"), replace(model, name="")):
        with pytest.raises(CannotBundle):
            build(wrong)
    assert sorted(model.labels.parent.rglob("*")) == before


def test_the_command(model: OwnModel, capsys: pytest.CaptureFixture[str]) -> None:
    out = model.labels.parent / "bundle"
    arguments = ["--kind", "yolox", "--name", "mine", "--version", "3", "--licence", "Apache-2.0"]
    arguments += ["--model", str(model.network), "--labels", str(model.labels), "--out", str(out)]
    assert main([*arguments, "--mean", "1,2,3"]) == 0
    assert f"mine 3: {out} (onnx-fp32)" in capsys.readouterr().out
    assert Bundle.open(out).manifest.input.mean == (1.0, 2.0, 3.0)
    model.network.write_bytes(b"")
    assert main(arguments) == 1
    assert "mine: mine.onnx is no network" in capsys.readouterr().err
    for wrong in (["--int8"], ["--images", str(out)], ["--mean", "1,2"]):
        with pytest.raises(SystemExit):
            main([*arguments, *wrong])
