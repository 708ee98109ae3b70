"""The steps from a fetched network to a bundle, each a function."""

import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import onnx
from msgspec.structs import replace

from deploy import human_models, nanodet
from deploy.files import sha256_of
from processing.evaluation.accuracy import Accuracy, measure_accuracy
from processing.evaluation.on_coco import SCORE_FLOOR, measure_on_coco
from processing.exchange.coco import NotCoco, read_coco
from processing.exchange.tfjs.convert import to_onnx
from processing.exchange.tfjs.graph import NotConvertible, read_graph
from processing.inference.bundle import MANIFEST, BadBundle, Bundle
from processing.inference.detector import InferenceFailed
from processing.inference.engine import Engine
from processing.inference.manifest import (
    Artifact,
    File,
    Licence,
    Manifest,
    Metric,
    Precision,
    Provenance,
    Runtime,
)
from processing.inference.quantize import quantize
from processing.media.decode import Decoder, SourceLost, video_file
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.vision.geometry import areas
from processing.vision.truth import Truth

N_CALIBRATION: Final = 64
N_HELD_OUT: Final = 32
MIN_AGREEMENT: Final = 0.75
"""Below it, quantisation has broken the network; some architectures lose everything."""
CONFIDENT: Final = 0.3
"""What the source network says with this score is what INT8 has to say as well."""

ONNX: Final = "network.onnx"
IR: Final = "network-int8.xml"
IR_WEIGHTS: Final = "network-int8.bin"
_APACHE: Final = Path(__file__).resolve().parent.parent / "LICENSE"
_START: Final = datetime.fromtimestamp(0, UTC)


class BuildFailed(RuntimeError):
    """No bundle was made; the text says why."""


@dataclass(frozen=True, slots=True)
class CocoSource:
    """Annotated pictures to measure on."""

    images: Path
    annotations: Path


def build_bundle(
    *,
    source: Path,
    video: Path,
    out: Path,
    coco: CocoSource | None,
    on_step: Callable[[str], None],
) -> None:
    """Write the bundle to folder `out`, whole or not at all; raise `BuildFailed`."""
    try:
        with _whole_folder(out) as folder:
            on_step("converting to ONNX")
            convert(source, folder / ONNX)
            calibration, held_out = pick_frames(video)
            on_step(f"quantising on {len(calibration)} frames of {video.name}")
            quantize(folder / ONNX, folder / IR, spec=nanodet.INPUT, frames=calibration)
            manifest = describe(folder, source, video)
            _write_manifest(folder, manifest)
            on_step("measuring")
            bundle = Bundle.open(folder)
            metrics = [
                *measure_agreement(bundle, held_out, dataset=f"{video.name}, frames held out"),
                *(measure_coco(bundle, coco) if coco else ()),
            ]
            _write_manifest(folder, replace(manifest, metrics=tuple(metrics)))
            Bundle.open(folder)
    except (BadBundle, InferenceFailed, NotCoco, NotConvertible, OSError, SourceLost) as error:
        raise BuildFailed(str(error)) from error


def convert(source: Path, target: Path) -> None:
    """Write the network that lies in `source` as ONNX."""
    graph = read_graph(
        (source / human_models.GRAPH).read_bytes(), (source / human_models.WEIGHTS).read_bytes()
    )
    onnx.save(to_onnx(graph, name=nanodet.NAME, names=nanodet.TENSORS), target)


def pick_frames(video: Path) -> tuple[list[Frame], list[Frame]]:
    """Return frames to calibrate with and others to measure with, both spread over the video."""
    with Decoder(video_file(video)) as decoder:
        frames = [Frame.of(picture.planes, captured_at=_START) for picture in decoder]
    chosen = _spread(len(frames), N_CALIBRATION)
    others = np.setdiff1d(np.arange(len(frames)), chosen)
    held_out = others[_spread(len(others), N_HELD_OUT)]
    return [frames[index] for index in chosen], [frames[index] for index in held_out]


def _spread(n_all: int, n_wanted: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.unique(np.linspace(0, n_all - 1, n_wanted).astype(np.intp))


def describe(folder: Path, source: Path, video: Path) -> Manifest:
    """Return the manifest of the files in `folder`, licence texts added to it; no metrics yet."""
    (folder / "licences").mkdir()
    shutil.copyfile(source / human_models.LICENCE, folder / "licences" / "human-models.txt")
    shutil.copyfile(_APACHE, folder / "licences" / "nanodet.txt")
    return Manifest(
        format=1,
        name=nanodet.NAME,
        version=nanodet.VERSION,
        task="detection",
        labels=nanodet.LABELS,
        input=nanodet.INPUT,
        head=nanodet.HEAD,
        artifacts=(
            _artifact(folder, "openvino", "int8", IR, IR_WEIGHTS),
            _artifact(folder, "onnx", "fp32", ONNX),
        ),
        licences=(
            Licence(
                spdx="MIT",
                covers=f"{human_models.PACKAGE}, which holds the network as TensorFlow.js",
                file=_file(folder, "licences/human-models.txt"),
            ),
            Licence(
                spdx="Apache-2.0",
                covers="NanoDet by RangiLyu, architecture and weights; converted and quantised",
                file=_file(folder, "licences/nanodet.txt"),
            ),
        ),
        provenance=_provenance(source, video),
    )


def _provenance(source: Path, video: Path) -> Provenance:
    package = human_models.PACKAGE.replace("@", "%40")
    inputs = (
        File(path=member, sha256=sha256, size=(source / name).stat().st_size)
        for name, (member, sha256) in human_models.FILES.items()
    )
    return Provenance(
        source=f"pkg:npm/{package}@{human_models.VERSION}",
        integrity=f"sha512-{human_models.SHA512}",
        inputs=tuple(inputs),
        steps=(
            "TensorFlow.js graph to ONNX, weights from float16 to float32",
            f"ONNX to OpenVINO INT8: post-training quantisation, preset mixed, on {N_CALIBRATION} "
            f"frames spread over {video.name} (sha256 {sha256_of(video)})",
        ),
        tools={name: version(name) for name in ("onnx", "openvino", "nncf")},
    )


def measure_agreement(bundle: Bundle, frames: Sequence[Frame], *, dataset: str) -> list[Metric]:
    """Return how far INT8 finds what the source network finds; raise `BuildFailed` if too little.

    This needs no annotated pictures: what the source network is confident of is the truth here.
    """
    wanted = _detect_all(bundle, _artifact_of(bundle, "onnx"), frames)
    found = _detect_all(bundle, _artifact_of(bundle, "openvino"), frames)
    truths = [_as_truth(each[each.scores >= CONFIDENT]) for each in wanted]
    agreement = measure_accuracy(list(zip(truths, found, strict=True)))
    if not agreement.map_50 >= MIN_AGREEMENT:  # nan too
        raise BuildFailed(
            f"the INT8 network finds too little of what its source finds: {agreement.map_50:.2f}; "
            f"at least {MIN_AGREEMENT} is wanted"
        )
    return list(_metrics("agreement_", agreement, _artifact_of(bundle, "openvino"), dataset))


def measure_coco(bundle: Bundle, source: CocoSource) -> Iterator[Metric]:
    """Yield COCO's figures of every artifact."""
    dataset = read_coco(source.annotations.read_bytes())
    for artifact in bundle.manifest.artifacts:
        engine = Engine.open(bundle.measured_with(artifact, score_floor=SCORE_FLOOR))
        accuracy = measure_on_coco(
            engine, dataset, labels=bundle.manifest.labels, images=source.images
        )
        engine.close()
        yield from _metrics("", accuracy, artifact, f"COCO, {source.annotations.name}")


def _metrics(
    prefix: str, accuracy: Accuracy, artifact: Artifact, dataset: str
) -> Iterator[Metric]:
    figures = {"map_50_95": accuracy.map_50_95, "map_50": accuracy.map_50}
    for name, value in figures.items():
        if not math.isnan(value):
            yield Metric(
                name=f"{prefix}{name}",
                value=round(value, 4),
                artifact=artifact.title,
                dataset=f"{dataset} ({accuracy.n_images} pictures)",
                origin="measured at build",
            )


def _detect_all(bundle: Bundle, artifact: Artifact, frames: Sequence[Frame]) -> list[Detections]:
    engine = Engine.open(bundle.measured_with(artifact, score_floor=SCORE_FLOOR))
    try:
        return [engine.detect(frame) for frame in frames]
    finally:
        engine.close()


def _as_truth(found: Detections) -> Truth:
    return Truth(
        xyxy=found.xyxy,
        labels=found.labels,
        is_crowd=np.zeros(len(found), np.bool_),
        areas=areas(found.xyxy),
    )


def _artifact_of(bundle: Bundle, runtime: Runtime) -> Artifact:
    artifact = bundle.manifest.artifact(runtime)
    assert artifact is not None
    return artifact


def _artifact(folder: Path, runtime: Runtime, precision: Precision, *names: str) -> Artifact:
    files = tuple(_file(folder, name) for name in names)
    return Artifact(runtime=runtime, precision=precision, files=files)


def _file(folder: Path, name: str) -> File:
    path = folder / name
    return File(path=name, size=path.stat().st_size, sha256=sha256_of(path))


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(content)


@contextmanager
def _whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder to write to; once written without error it stands at `out`, in one step."""
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        yield folder
        folder.chmod(0o755)
        if out.exists():
            old = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.old."))
            os.replace(out, old / "bundle")  # noqa: PTH105  # a folder
            folder.rename(out)
            shutil.rmtree(old)
        else:
            folder.rename(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
