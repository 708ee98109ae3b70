"""A picture's embedding comes from the network's own depths, and changes nothing that it finds."""

from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import openvino  # type: ignore[import-untyped]  # it ships no types
import pytest
from numpy.typing import NDArray

from deploy.own_bundle import build_own_bundle
from deploy.own_model import OwnModel
from processing.exchange.tfjs.builder import Builder
from processing.inference import network
from processing.inference.bundle import Bundle
from processing.inference.detector import InferenceFailed
from processing.inference.embedding import OUTPUT, add_embedding, normalised
from processing.inference.engine import Engine
from processing.media.colour import frame_from_bgr
from processing.media.jpeg import decode_jpeg
from tests.processing.tiny_bundle import AT, LABELS, frame

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def test_it_works(engine: Engine) -> None:
    red, blue = engine.embed(frame(("red", 1, 1))), engine.embed(frame(("blue", 6, 2)))
    assert red is not None
    assert blue is not None
    assert red.dtype == np.float16
    assert red.shape == (3,)
    # The tiny network's only map is the mean colour of its cells.
    assert (int(red.argmax()), int(blue.argmax())) == (2, 0)
    for embedding in (red, blue):
        assert np.linalg.norm(embedding.astype(np.float64)) == pytest.approx(1.0, abs=2e-3)


def test_the_same_picture_has_the_same_embedding(engine: Engine) -> None:
    first, second = (engine.embed(frame(("green", 2, 5))) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_it_finds_the_same_as_without(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [frame((LABELS[n % 3], n % 8, n // 8)) for n in range(40)]
    with closing(Engine.open(bundle, n_requests=1)) as engine:
        found = [engine.detect(each) for each in shown]
    monkeypatch.setattr(network, "add_embedding", lambda _model: None)
    with closing(Engine.open(bundle, n_requests=1)) as plain:
        assert plain.embed(shown[0]) is None
        for each, before in zip(shown, found, strict=True):
            again = plain.detect(each)
            np.testing.assert_array_equal(again.xyxy, before.xyxy)
            np.testing.assert_array_equal(again.scores, before.scores)


def test_a_closed_engine_refuses(bundle: Bundle) -> None:
    engine = Engine.open(bundle, n_requests=1)
    engine.close()
    with pytest.raises(InferenceFailed, match="closed"):
        engine.embed(frame())


def test_nothing_is_nothing() -> None:
    assert normalised(np.zeros(4, np.float32)).tolist() == [0.0] * 4


# ---------------------------------------------------------------- which map


def read(model: onnx.ModelProto) -> Any:  # OpenVINO ships no types
    return openvino.Core().read_model(model.SerializeToString())


def weights(outputs: int, inputs: int, side: int = 1) -> NDArray[np.float32]:
    dice = np.random.default_rng(outputs * 1000 + inputs)
    return dice.normal(size=(outputs, inputs, side, side)).astype(np.float32)


def embedded(model: Any, picture: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return the embedding that the network gets, if it gets one."""
    add_embedding(model)
    names = {name for port in model.outputs for name in port.names}
    if OUTPUT not in names:
        return None
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(model, "CPU", exact).create_infer_request()
    request.infer({0: picture})
    return np.array(request.get_tensor(OUTPUT).data[0])


def test_the_deepest_map_that_is_mixed_into_finer_ones_is_taken_after_its_activation() -> None:
    """As in a pyramid: what follows the mixing is head, however many channels it has."""
    build = Builder()
    fine = build.add("Conv", "image", weights(4, 3), strides=(4, 4))  # 16 x 16
    deep = build.add("Conv", fine, weights(6, 4), np.ones(6, np.float32), strides=(2, 2))
    build.name_output(build.add("Mul", deep, build.add("Sigmoid", deep)), "swish")  # 8 x 8
    larger = build.add("Resize", "swish", None, np.array([1, 1, 2, 2], np.float32))
    mixed = build.add("Conv", build.add("Concat", larger, fine, axis=1), weights(5, 10))
    head = build.add("Conv", mixed, weights(40, 5), strides=(2, 2))  # 8 x 8, and more channels
    build.name_output(head, "out")
    graph = build.model("pyramid", {"image": (1, 3, 64, 64)}, {"out": (1, 40, 8, 8)})
    picture = np.random.default_rng(1).normal(size=(1, 3, 64, 64)).astype(np.float32)

    found = embedded(read(graph), picture)

    coarse = np.einsum("oi,iyx->oyx", weights(4, 3)[:, :, 0, 0], picture[0])[:, ::4, ::4]
    deep_map = np.einsum("oi,iyx->oyx", weights(6, 4)[:, :, 0, 0], coarse)[:, ::2, ::2] + 1.0
    swish = deep_map / (1.0 + np.exp(-deep_map))
    assert found is not None
    np.testing.assert_allclose(found, swish.mean(axis=(1, 2)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("channels", "side", "has_one"),
    [(1024, 4, True), (1025, 4, False), (8, 3, False), (1, 4, True)],
)
def test_maps_too_small_or_too_deep_do_not_count(
    channels: int, side: int, *, has_one: bool
) -> None:
    build = Builder()
    build.name_output(build.add("Conv", "image", weights(channels, 3)), "out")
    graph = build.model("m", {"image": (1, 3, side, side)}, {"out": (1, channels, side, side)})
    found = embedded(read(graph), np.ones((1, 3, side, side), np.float32))
    assert (found is not None) == has_one
    assert found is None or found.shape == (channels,)


def test_a_network_without_maps_has_none() -> None:
    build = Builder()
    flat = build.add("Reshape", "image", np.array([1, 48], np.int64))
    build.name_output(build.add("MatMul", flat, np.ones((48, 2), np.float32)), "out")
    graph = build.model("flat", {"image": (1, 3, 4, 4)}, {"out": (1, 2)})
    assert embedded(read(graph), np.ones((1, 3, 4, 4), np.float32)) is None


def test_a_map_of_one_output_only_does_not_count() -> None:
    build = Builder()
    build.name_output(build.add("Conv", "image", weights(4, 3)), "left")
    build.name_output(build.add("Conv", "image", weights(9, 3)), "right")
    graph = build.model(
        "two", {"image": (1, 3, 8, 8)}, {"left": (1, 4, 8, 8), "right": (1, 9, 8, 8)}
    )
    assert embedded(read(graph), np.ones((1, 3, 8, 8), np.float32)) is None


# ---------------------------------------------------------------- real networks, real pictures


def disturbed(bgr: NDArray[np.uint8], n: int) -> NDArray[np.uint8]:
    """Return nearly the same picture: shifted, cropped by a tenth, lighter or darker."""
    height, width = bgr.shape[:2]
    left, top = n % 5 * width // 100, n % 3 * height // 100
    cut = bgr[top : top + height * 95 // 100, left : left + width * 95 // 100]
    return cv2.convertScaleAbs(cut, alpha=0.85 + n % 4 * 0.1).astype(np.uint8)


@pytest.mark.skipif(not DATA.is_dir(), reason="no real networks and pictures in ../shared/data")
@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("yolox", "yolox_nano_416/yolox_nano.onnx"),
        ("picodet", "picodet_s_416/picodet_s_416.onnx"),
        ("fastestdet", "fastestdet_352/FastestDet.onnx"),
    ],
)
def test_near_duplicates_are_nearer_than_strangers(kind: str, file: str, tmp_path: Path) -> None:
    model = OwnModel(
        network=DATA / "models" / file,
        kind=kind,
        labels=DATA / "models/coco.names",
        name=kind,
        version="1",
        licence="Apache-2.0",
    )
    built = build_own_bundle(model, out=tmp_path / kind, coco=None, on_step=lambda _step: None)
    files = sorted((DATA / "images/train2017").iterdir())[:32]
    pictures = [decode_jpeg(file.read_bytes()) for file in files]
    with closing(Engine.open(built.bundle, n_requests=1)) as engine:

        def embed(bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
            found = engine.embed(frame_from_bgr(np.ascontiguousarray(bgr), captured_at=AT))
            assert found is not None
            return found.astype(np.float32)

        originals = np.stack([embed(bgr) for bgr in pictures])
        copies = np.stack([embed(disturbed(bgr, n)) for n, bgr in enumerate(pictures)])
    likeness = originals @ copies.T
    strangers = likeness[~np.eye(len(pictures), dtype=np.bool_)]
    assert (likeness.argmax(axis=1) == np.arange(len(pictures))).all()
    assert np.diag(likeness).mean() > 0.97
    assert np.diag(likeness).mean() > np.percentile(strangers, 99)
