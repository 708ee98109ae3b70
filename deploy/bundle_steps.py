"""The steps from a fetched network to a bundle, each a function."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from msgspec.structs import replace

from deploy import human_models, nanodet
from deploy.bundle_folder import artifact_of, file_of, whole_folder, write_manifest
from deploy.bundle_metrics import (
    PUBLISHED,
    CocoSource,
    TooInaccurate,
    measure_agreement,
    measure_coco,
)
from deploy.detection_tail import SUPPRESSED, with_tail
from deploy.files import sha256_of
from processing.exchange.coco import NotCoco
from processing.exchange.tfjs.convert import to_onnx
from processing.exchange.tfjs.graph import NotConvertible, read_graph
from processing.inference.bundle import BadBundle, Bundle
from processing.inference.detector import InferenceFailed
from processing.inference.manifest import File, Licence, Manifest, Provenance
from processing.inference.quantize import quantize
from processing.media.decode import Decoder, SourceLost, video_file
from processing.vision.frame import Frame

N_CALIBRATION: Final = 64
N_HELD_OUT: Final = 32
ONNX: Final = "network.onnx"
IR: Final = "network-int8.xml"
IR_WEIGHTS: Final = "network-int8.bin"
_FAILURES: Final = (
    BadBundle, InferenceFailed, NotCoco, NotConvertible, OSError, SourceLost, TooInaccurate,
)  # fmt: skip
_APACHE: Final = Path(__file__).resolve().parent.parent / "LICENSE"
_START: Final = datetime.fromtimestamp(0, UTC)


class BuildFailed(RuntimeError):
    """No bundle was made; the text says why."""


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
        with whole_folder(out) as folder:
            on_step("converting to ONNX")
            convert(source, folder / ONNX)
            calibration, held_out = pick_frames(video)
            on_step(f"quantising on {len(calibration)} frames of {video.name}")
            quantize(folder / ONNX, folder / IR, spec=nanodet.INPUT, frames=calibration)
            manifest = describe(folder, source, video)
            write_manifest(folder, manifest)
            on_step("measuring")
            bundle = Bundle.open(folder)
            metrics = [
                PUBLISHED,
                *measure_agreement(bundle, held_out, dataset=f"{video.name}, frames held out"),
                *(measure_coco(bundle, coco) if coco else ()),
            ]
            write_manifest(folder, replace(manifest, metrics=tuple(metrics)))
            Bundle.open(folder)
    except _FAILURES as error:
        raise BuildFailed(str(error)) from error


def convert(source: Path, target: Path) -> None:
    """Write the network that lies in `source` as ONNX that gives detections."""
    graph = read_graph(
        (source / human_models.GRAPH).read_bytes(), (source / human_models.WEIGHTS).read_bytes()
    )
    whole = with_tail(
        to_onnx(graph, name=nanodet.NAME, names=nanodet.TENSORS),
        nanodet.BODY_HEAD,
        nanodet.INPUT,
        n_labels=len(nanodet.LABELS),
        thresholds=nanodet.THRESHOLDS,
    )
    onnx.save(whole, target)


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
        head=SUPPRESSED,
        thresholds=nanodet.THRESHOLDS,
        artifacts=(
            artifact_of(folder, "openvino", "int8", IR, IR_WEIGHTS),
            artifact_of(folder, "onnx", "fp32", ONNX),
        ),
        licences=(
            Licence(
                spdx="MIT",
                covers=f"{human_models.PACKAGE}, which holds the network as TensorFlow.js",
                file=file_of(folder, "licences/human-models.txt"),
            ),
            Licence(
                spdx="Apache-2.0",
                covers="NanoDet by RangiLyu, architecture and weights; converted and quantised",
                file=file_of(folder, "licences/nanodet.txt"),
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
    quantised = (
        f"ONNX to OpenVINO INT8: post-training quantisation, preset mixed, on "
        f"{N_CALIBRATION} frames spread over {video.name} (sha256 {sha256_of(video)})"
    )
    return Provenance(
        source=f"pkg:npm/{package}@{human_models.VERSION}",
        integrity=f"sha512-{human_models.SHA512}",
        inputs=tuple(inputs),
        steps=(
            "TensorFlow.js graph to ONNX, weights from float16 to float32",
            "decoding and non-maximum suppression added to the ONNX",
            quantised,
        ),
        tools={name: version(name) for name in ("onnx", "openvino", "nncf")},
    )
