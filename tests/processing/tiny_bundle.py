"""A bundle small enough to build in a test, whose network is real: it finds patches of colour.

The input is 64 x 64, in a grid of 8 x 8 cells. A cell that is pure blue, green or red gives one box
of 16 x 16 around its centre, labelled with the colour.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray

from processing.exchange.tfjs.builder import Builder
from processing.inference.bundle import MANIFEST, Bundle
from processing.inference.heads.nanodet import Level, NanodetHead
from processing.inference.input_spec import InputSpec, ResizeMode
from processing.inference.manifest import Artifact, File, Licence, Manifest, Provenance
from processing.inference.thresholds import Thresholds
from processing.media.colour import frame_from_bgr
from processing.vision.frame import Frame

SIDE = 64
CELL = 8
LABELS = ("blue", "green", "red")
COLOURS = {"blue": (255, 0, 0), "green": (0, 255, 0), "red": (0, 0, 255)}
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)

_N_CELLS = (SIDE // CELL) ** 2


def make_tiny_bundle(folder: Path, *, resize: ResizeMode = "letterbox-center") -> Path:
    """Write the bundle to a new folder and return that."""
    folder.mkdir()
    onnx.save(_network(), folder / "network.onnx")
    (folder / "LICENSE").write_text("Do what you like.\n")
    write_manifest(folder, describe(folder, resize=resize))
    return folder


def describe(folder: Path, *, resize: ResizeMode = "letterbox-center") -> Manifest:
    return Manifest(
        format=1,
        name="tiny",
        version="1",
        task="detection",
        labels=LABELS,
        input=InputSpec(
            tensor="image",
            width=SIDE,
            height=SIDE,
            colour="bgr",
            mean=(0.0, 0.0, 0.0),
            scale=(255.0, 255.0, 255.0),
            resize=resize,
        ),
        head=NanodetHead(levels=(Level(stride=CELL, scores="cls", distances="dis"),), n_bins=2),
        thresholds=Thresholds(score_floor=0.3, nms_iou=0.3),
        artifacts=(
            Artifact(runtime="onnx", precision="fp32", files=(file_of(folder, "network.onnx"),)),
        ),
        licences=(Licence(spdx="0BSD", covers="all of it", file=file_of(folder, "LICENSE")),),
        provenance=Provenance(source="made in a test"),
    )


def file_of(folder: Path, name: str) -> File:
    content = (folder / name).read_bytes()
    return File(path=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def write_manifest(folder: Path, manifest: Manifest) -> None:
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))


def open_tiny_bundle(folder: Path) -> Bundle:
    return Bundle.open(make_tiny_bundle(folder))


def picture(
    *patches: tuple[str, int, int], width: int = SIDE, height: int = SIDE, cell: int = CELL
) -> NDArray[np.uint8]:
    """Return black BGR with patches (colour, column, row) of one cell each."""
    bgr = np.zeros((height, width, 3), np.uint8)
    for colour, column, row in patches:
        bgr[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = COLOURS[colour]
    return bgr


def frame(*patches: tuple[str, int, int]) -> Frame:
    """Return the frame of such a picture, at the network's own size."""
    return frame_from_bgr(picture(*patches), captured_at=AT)


def _network() -> onnx.ModelProto:
    build = Builder()
    mean = build.add("AveragePool", "image", kernel_shape=(CELL, CELL), strides=(CELL, CELL))
    # High where one colour is strong and the other two are not.
    mix = (60.0 * np.eye(3) - 20.0).astype(np.float32).reshape(3, 3, 1, 1)
    scores = build.add("Conv", mean, mix, np.full(3, -15.0, np.float32))
    build.name_output(_cells_last(build, build.add("Sigmoid", scores), 3), "cls")
    # Nearly all weight on bin 1: each side is one stride from the centre.
    always = np.tile(np.array([-9.0, 9.0], np.float32), 4)
    sides = build.add("Conv", mean, np.zeros((8, 3, 1, 1), np.float32), always)
    build.name_output(_cells_last(build, sides, 8), "dis")
    return build.model(
        "tiny", {"image": (1, 3, SIDE, SIDE)}, {"cls": (1, _N_CELLS, 3), "dis": (1, _N_CELLS, 8)}
    )


def _cells_last(build: Builder, grid: str, depth: int) -> str:
    last = build.add("Transpose", grid, perm=(0, 2, 3, 1))
    return build.add("Reshape", last, np.array([1, _N_CELLS, depth], np.int64))
