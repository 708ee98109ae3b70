"""Judges on ONNX Runtime find what the engine finds, in batches as alone."""

import queue
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import av
import numpy as np
import onnx
import pytest
from onnx import helper

from deploy.default_bundle import default_bundle_path
from deploy.sample_video import sample_video_path
from processing.evaluation.on_coco import read_frame
from processing.exchange.coco import read_coco
from processing.inference.bundle import Bundle, BundleUnfit
from processing.inference.detector import InferenceFailed
from processing.inference.engine import Engine
from processing.media.colour import frame_from_bgr
from processing.tier.judging.onnx_judge import OnnxJudge, OnnxOpener, usual_means
from processing.tier.judging.onnx_network import OnnxMeans, OnnxRefused, require_provider
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.vision.geometry import iou_matrix
from tests.processing.tiny_bundle import (
    AT,
    describe,
    frame,
    make_tiny_bundle,
    open_tiny_bundle,
    picture,
    write_manifest,
)

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
BATCHES = OnnxMeans(provider="cpu", max_batch=8)
SINGLES = OnnxMeans(provider="cpu", max_batch=1)


def judge_all(judge: OnnxJudge, frames: Sequence[Frame]) -> list[Detections]:
    """Return what is found in frames that are judged together."""
    answers: queue.SimpleQueue[Sequence[Detections | InferenceFailed]] = queue.SimpleQueue()
    judge.submit(frames, answers.put)
    findings = answers.get(timeout=60)
    found = [each for each in findings if not isinstance(each, InferenceFailed)]
    assert len(found) == len(frames)
    return found


def test_pictures_of_a_batch_are_not_mixed_up(tmp_path: Path) -> None:
    frames = [
        frame(("green", 3, 3)),
        frame(),
        frame(("red", 1, 6), ("blue", 6, 1)),
        frame_from_bgr(picture(("blue", 2, 1), width=128, height=96, cell=16), captured_at=AT),
        frame(("red", 5, 5)),
    ]
    with closing(OnnxJudge(open_tiny_bundle(tmp_path / "tiny"), BATCHES)) as judge:
        assert judge.max_batch == 8
        together = judge_all(judge, frames)
        alone = [judge_all(judge, [each])[0] for each in frames]
    assert [sorted(found.labels.tolist()) for found in together] == [[1], [], [0, 2], [0], [2]]
    for found, expected in zip(together, alone, strict=True):
        np.testing.assert_allclose(found.xyxy, expected.xyxy, atol=1e-3)
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)


def test_it_finds_what_the_engine_finds(tmp_path: Path) -> None:
    bundle = open_tiny_bundle(tmp_path / "tiny")
    frames = [frame(("green", 3, 3), ("red", 6, 6)), frame(("blue", 1, 1))]
    with (
        closing(OnnxJudge(bundle, SINGLES)) as judge,
        closing(Engine.open(bundle)) as engine,
    ):
        for each in frames:
            found, expected = judge_all(judge, [each])[0], engine.detect(each)
            np.testing.assert_allclose(found.xyxy, expected.xyxy, atol=0.01)
            assert found.labels.tolist() == expected.labels.tolist()


def test_a_network_that_mixes_its_batch_judges_one_at_a_time(tmp_path: Path) -> None:
    folder = make_tiny_bundle(tmp_path / "tiny")
    network = onnx.load(folder / "network.onnx")
    for node in network.graph.node:
        node.input[:] = ["mixed" if name == "image" else name for name in node.input]
    twice = helper.make_node("ReduceMax", ["image"], ["most"], keepdims=1, axes=[0])
    mixed = helper.make_node("Max", ["image", "most"], ["mixed"])
    nodes = [twice, mixed, *network.graph.node]
    del network.graph.node[:]
    network.graph.node.extend(nodes)
    network.opset_import[0].version = 17  # where reductions take their axes so
    onnx.save(network, folder / "network.onnx")
    write_manifest(folder, describe(folder))
    with closing(OnnxJudge(Bundle.open(folder), BATCHES)) as judge:
        assert judge.max_batch == 1
        assert judge_all(judge, [frame(("red", 2, 2))])[0].labels.tolist() == [2]


def test_a_broken_network_is_named(tmp_path: Path) -> None:
    folder = make_tiny_bundle(tmp_path / "tiny")
    (folder / "network.onnx").write_bytes(b"no network")
    write_manifest(folder, describe(folder))
    with pytest.raises(BundleUnfit, match="bundle tiny 1 cannot run on ONNX"):
        OnnxJudge(Bundle.open(folder), SINGLES)


def test_a_provider_that_is_not_here_is_refused_in_words() -> None:
    with pytest.raises(OnnxRefused, match="CUDAExecutionProvider"):
        require_provider("cuda", device_id=99)


def test_the_opener_says_what_it_runs_on_and_what_it_takes(tmp_path: Path) -> None:
    bundle = open_tiny_bundle(tmp_path / "tiny")
    opener = OnnxOpener(replace(usual_means(), provider="cpu"))
    assert opener.device == "ONNX Runtime on CPU"
    with closing(opener.open(bundle)) as judge:
        assert judge.memory_bytes == opener.weigh(bundle) > 0


def of_video() -> Iterator[Frame]:
    """Yield pictures of the sample video, seconds apart."""
    with av.open(str(sample_video_path())) as container:
        for shown in islice(container.decode(video=0), 0, 180, 36):
            bgr = np.asarray(shown.to_ndarray(format="bgr24"), np.uint8)
            yield frame_from_bgr(bgr, captured_at=AT)


def of_coco() -> Iterator[Frame]:
    """Yield annotated pictures, which lie beside the checkout and nowhere else."""
    annotations = DATA / "annotations/instances_train2017_128.json"
    if annotations.is_file():
        for image in read_coco(annotations.read_bytes()).images[:12]:
            yield read_frame(DATA / "images/train2017", image.file_name)


@pytest.mark.skipif(
    not (default_bundle_path().is_dir() and sample_video_path().is_file()),
    reason="the default bundle is not built: `make setup`",
)
def test_real_pictures_are_judged_alike() -> None:
    """Within 0.02 in score and 0.9 in overlap: rounding of colours, and sums' order.

    What lies that near the floor may be in one only.
    """
    whole = Bundle.open(default_bundle_path())
    source = whole.manifest.artifact("onnx")
    assert source is not None
    bundle = whole.measured_with(source, score_floor=0.3)
    frames = [*of_video(), *of_coco()]
    with closing(OnnxJudge(bundle, BATCHES)) as judge:
        assert judge.max_batch == 8
        found = [
            each
            for first in range(0, len(frames), 8)
            for each in judge_all(judge, frames[first : first + 8])
        ]
    with closing(Engine.open(bundle)) as engine:
        expected = [engine.detect(each) for each in frames]
    assert sum(map(len, expected)) >= 10
    for ours, theirs in zip(found, expected, strict=True):
        assert_alike(ours, theirs, floor=0.3)
        assert_alike(theirs, ours, floor=0.3)


def assert_alike(some: Detections, others: Detections, *, floor: float) -> None:
    """Every detection of the first is among the others."""
    overlap = iou_matrix(some.xyxy, others.xyxy)
    is_same = some.labels[:, None] == others.labels
    is_near = np.abs(some.scores[:, None] - others.scores) <= 0.02
    is_found = ((overlap >= 0.9) & is_same & is_near).any(axis=1)
    assert (is_found | (some.scores < floor + 0.02)).all()
