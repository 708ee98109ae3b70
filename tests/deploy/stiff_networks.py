"""Networks of every kind that say the same of every picture: to test what is made of their files.

Each is 64 x 64 pixels, has three labels, and sees one thing: label 1, from (16, 16) to (48, 48).
"""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from processing.exchange.tfjs.builder import Builder

SIDE = 64
LABELS = ("blue", "green", "red")
SEEN = ("green", (16.0, 16.0, 48.0, 48.0))
Outputs = dict[str, NDArray[np.float32]]


def save_network(path: Path, outputs: Outputs, *, is_channels_last: bool = False) -> Path:
    """Write a network that answers `outputs`, given with the batch axis, whatever it is shown."""
    build = Builder()
    shape = (1, SIDE, SIDE, 3) if is_channels_last else (1, 3, SIDE, SIDE)
    # A zero that depends on the picture: a network without any path to its input is none.
    mean = build.add("ReduceMean", "picture", keepdims=0)
    nothing = build.add("Mul", mean, np.zeros((), np.float32))
    for name, output in outputs.items():
        build.name_output(build.add("Add", output, nothing), name)
    model = build.model(
        "stiff", {"picture": shape}, {name: output.shape for name, output in outputs.items()}
    )
    onnx.save(model, path)
    return path


def yolox() -> Outputs:
    output = np.zeros((1, 8 * 8 + 4 * 4 + 2 * 2, 8), np.float32)
    # Cell (1, 1) of the last level has its corner at (32, 32).
    output[0, -1] = (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.9, 0.0)
    return {"output": output}


def fastestdet() -> Outputs:
    output = np.zeros((1, 8, 4, 4), np.float32)
    output[0, :, 2, 2] = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9, 0.0)
    return {"output": output}


def ssd() -> Outputs:
    n_anchors = 16 * 3 + (2 * 2 + 1 + 1 + 1 + 1) * 6
    boxes = np.zeros((1, n_anchors, 4), np.float32)
    classes = np.full((1, n_anchors, 4), -9.0, np.float32)
    # The last anchor is the square around the middle, of a side of the root of 0.95.
    boxes[0, -1, 2:] = 5.0 * np.log(0.5 / 0.95**0.5)
    classes[0, -1, 2] = 3.0
    return {"boxes": boxes, "classes": classes}


def nanodet(*, n_bins: int = 8, centre: float = 31.5) -> Outputs:
    """Return the outputs of NanoDet, or of PicoDet, whose centres lie half a pixel further."""
    outputs: Outputs = {}
    for stride in (8, 16, 32):
        outputs[f"cls_{stride}"] = np.zeros((1, (SIDE // stride) ** 2, 3), np.float32)
    for stride in (8, 16, 32):
        shape = (1, (SIDE // stride) ** 2, 4, n_bins)
        outputs[f"dis_{stride}"] = np.full(shape, -50.0, np.float32)
    # Of 8 x 8 cells, (4, 4) has its middle at (36, 36), less half a pixel.
    number, middle = 4 * 8 + 4, 36.0 + centre - 32.0
    outputs["cls_8"][0, number, 1] = 0.9
    for side, pixels in enumerate((middle - 16.0, middle - 16.0, 48.0 - middle, 48.0 - middle)):
        low = int(pixels / 8)
        share = pixels / 8 - low
        outputs["dis_8"][0, number, side, low] = np.log(1.0 - share)
        outputs["dis_8"][0, number, side, low + 1] = np.log(max(share, 1e-9))
    return {name: output.reshape(*output.shape[:2], -1) for name, output in outputs.items()}


def picodet() -> Outputs:
    return nanodet(centre=32.0)


NETWORKS = {
    "yolox": yolox,
    "fastestdet": fastestdet,
    "ssd": ssd,
    "nanodet": nanodet,
    "picodet": picodet,
}
