"""A network that decodes and suppresses by itself says what the head says of its outputs."""

from contextlib import closing
from pathlib import Path

import numpy as np
import onnx
import pytest
from msgspec.structs import replace

from deploy.detection_tail import SUPPRESSED, with_tail
from processing.exchange.tfjs.builder import Builder
from processing.inference.bundle import Bundle
from processing.inference.engine import Engine
from processing.inference.heads.nanodet import Level, NanodetHead
from processing.inference.heads.registry import Head
from processing.inference.thresholds import Thresholds
from processing.media.colour import frame_from_bgr
from tests.processing.tiny_bundle import (
    AT,
    LABELS,
    SIDE,
    describe,
    make_tiny_bundle,
    write_manifest,
)

N_BINS = 5
STRIDES = (8, 16)
HEAD = NanodetHead(
    levels=tuple(Level(stride=s, scores=f"cls_{s}", distances=f"dis_{s}") for s in STRIDES),
    n_bins=N_BINS,
)
THRESHOLDS = Thresholds(score_floor=0.2, nms_iou=0.4)
LOOSE = Thresholds(score_floor=0.0, nms_iou=1.0, max_detections=1)


def body() -> onnx.ModelProto:
    """Return a network of random weights that says much of every picture."""
    dice = np.random.default_rng(5)
    build = Builder()
    shapes: dict[str, tuple[int, ...]] = {}
    for stride in STRIDES:
        n_cells = (SIDE // stride) ** 2
        for name, depth in (("cls", len(LABELS)), ("dis", 4 * N_BINS)):
            weights = dice.normal(0.0, 0.4, (depth, 3, stride, stride)).astype(np.float32)
            cells = build.add("Conv", "image", weights, strides=(stride, stride))
            if name == "cls":
                cells = build.add("Sigmoid", cells)
            flat = build.add("Reshape", cells, np.array([1, depth, n_cells], np.int64))
            build.name_output(build.add("Transpose", flat, perm=(0, 2, 1)), f"{name}_{stride}")
            shapes[f"{name}_{stride}"] = (1, n_cells, depth)
    return build.model("random", {"image": (1, 3, SIDE, SIDE)}, shapes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_tiny_bundle(tmp_path / "tiny")


def with_own_tail(folder: Path) -> onnx.ModelProto:
    spec = describe(folder).input
    return with_tail(body(), HEAD, spec, n_labels=len(LABELS), thresholds=LOOSE)


def opened(folder: Path, network: onnx.ModelProto, head: Head) -> Engine:
    onnx.save(network, folder / "network.onnx")
    write_manifest(folder, replace(describe(folder), head=head, thresholds=THRESHOLDS))
    return Engine.open(Bundle.open(folder), n_requests=1)


def test_it_finds_what_the_head_finds_with_the_manifests_thresholds(folder: Path) -> None:
    dice = np.random.default_rng(2)
    frames = [
        frame_from_bgr(dice.integers(0, 256, (SIDE, SIDE, 3), np.uint8), captured_at=AT)
        for _ in range(5)
    ]
    with closing(opened(folder, body(), HEAD)) as engine:
        wanted = [engine.detect(frame) for frame in frames]
    with closing(opened(folder, with_own_tail(folder), SUPPRESSED)) as engine:
        found = [engine.detect(frame) for frame in frames]
    assert all(len(each) > 10 for each in wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one.labels, other.labels)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)
        np.testing.assert_allclose(one.xyxy, other.xyxy, atol=1e-2)


def test_a_picture_with_nothing_in_it_gives_nothing(folder: Path) -> None:
    network = with_own_tail(folder)
    black = frame_from_bgr(np.zeros((SIDE, SIDE, 3), np.uint8), captured_at=AT)
    onnx.save(network, folder / "network.onnx")
    strict = Thresholds(score_floor=0.99)
    write_manifest(folder, replace(describe(folder), head=SUPPRESSED, thresholds=strict))
    with closing(Engine.open(Bundle.open(folder), n_requests=1)) as engine:
        assert len(engine.detect(black)) == 0
        assert len(engine.detect(black)) == 0


def test_a_network_whose_outputs_are_no_transposes_is_refused(folder: Path) -> None:
    build = Builder()
    names = [each for level in HEAD.levels for each in (level.scores, level.distances)]
    for name in names:
        build.name_output(build.add("Sigmoid", "image"), name)
    shape = (1, 3, SIDE, SIDE)
    other = build.model("other", {"image": shape}, dict.fromkeys(names, shape))
    with pytest.raises(ValueError, match="no transpose"):
        with_tail(other, HEAD, describe(folder).input, n_labels=len(LABELS), thresholds=THRESHOLDS)
