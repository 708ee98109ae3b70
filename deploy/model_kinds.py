"""The kinds of network that can be brought along, each recognised by the shapes of its outputs.

An export says nothing of colours, scales or how pictures are fitted: those are what each kind was
trained with, and may be overridden.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from processing.inference.heads.distances import Level
from processing.inference.heads.fastestdet import FastestdetHead
from processing.inference.heads.grid import n_cells
from processing.inference.heads.nanodet import NanodetHead
from processing.inference.heads.picodet import PicodetHead
from processing.inference.heads.registry import Head
from processing.inference.heads.ssd import SsdHead, anchors
from processing.inference.heads.yolox import YoloxHead
from processing.inference.input_spec import InputSpec
from processing.inference.ports import Port, Ports
from processing.inference.quantize import Recipe
from processing.inference.thresholds import Thresholds

_SIDES: Final = range(32, 4097, 2)
_N_SHOWN: Final = 12
_BEFORE_LABELS: Final = 5
"""YOLOX and FastestDet: x, y, width, height, and whether there is anything."""
_LEVEL_STRIDES: Final = (8, 16, 32, 64, 128)


class WrongOutputs(ValueError):
    """The network is not of the kind it is said to be; the text says what it has instead."""


class LabelsDoNotMatch(ValueError):
    """The network tells apart another number of labels than there are names."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What all networks of a kind have in common."""

    look: InputSpec
    """Its tensor, sides and layout are each network's own."""
    nms_iou: float
    head: Callable[[Sequence[Port], InputSpec, int], Head]
    """Of outputs, input and number of labels; raises `WrongOutputs` or `LabelsDoNotMatch`."""
    careful: Recipe
    """How to quantise it where plain quantisation costs too much."""

    def fit(
        self, ports: Ports, n_labels: int, look: Mapping[str, object]
    ) -> tuple[InputSpec, Head, Thresholds]:
        """Return how to run a network of this kind; `look` overrides fields of the input.

        Raise `WrongOutputs` or `LabelsDoNotMatch`.
        """
        spec = replace(_with_sides(self.look, ports), **look)
        head = self.head(ports.outputs, spec, n_labels)
        return spec, head, Thresholds(score_floor=0.1, nms_iou=self.nms_iou)


def _with_sides(look: InputSpec, ports: Ports) -> InputSpec:
    if len(ports.inputs) != 1:
        raise WrongOutputs(f"one input is wanted, a picture; it has {_list(ports.inputs)}")
    (port,) = ports.inputs
    match port.shape:
        case (3, height, width):
            spec = replace(look, tensor=port.name, width=width, height=height)
        case (height, width, 3):
            spec = replace(look, tensor=port.name, width=width, height=height, layout="nhwc")
        case _:
            raise WrongOutputs(f"the input is no picture of three colours: {port}")
    if spec.width not in _SIDES or spec.height not in _SIDES:
        raise WrongOutputs(
            f"the input is {spec.width} x {spec.height}; wanted are fixed, even sides of 32 to "
            "4096 pixels: export it so"
        )
    return spec


def _yolox(outputs: Sequence[Port], spec: InputSpec, n_labels: int) -> YoloxHead:
    for strides in ((8, 16, 32), (8, 16, 32, 64)):
        n_all = sum(n_cells(spec, stride) for stride in strides)
        match outputs:
            case [Port(name, (rows, depth))] if rows == n_all and depth > _BEFORE_LABELS:
                _require_labels(depth - _BEFORE_LABELS, n_labels)
                return YoloxHead(output=name, strides=strides)
    n_all = sum(n_cells(spec, stride) for stride in (8, 16, 32))
    raise _wrong(f"YOLOX has one output, ({n_all}, 5 + labels)", outputs)


def _fastestdet(outputs: Sequence[Port], spec: InputSpec, n_labels: int) -> FastestdetHead:
    match outputs:
        case [Port(name, (depth, rows, columns))] if depth > _BEFORE_LABELS and rows > 0:
            stride = spec.height // rows
            if (rows * stride, columns * stride) == (spec.height, spec.width):
                _require_labels(depth - _BEFORE_LABELS, n_labels)
                return FastestdetHead(output=name, stride=stride)
    raise _wrong("FastestDet has one output, (5 + labels, rows, columns)", outputs)


def _ssd(outputs: Sequence[Port], spec: InputSpec, n_labels: int) -> SsdHead:
    n_anchors = len(anchors(SsdHead(boxes="", classes=""), spec))
    match sorted(outputs, key=lambda port: port.shape[-1:] != (4,)):
        case [Port(boxes, (rows, 4)), Port(classes, (same, depth))] if rows == same == n_anchors:
            _require_labels(depth - 1, n_labels)
            return SsdHead(boxes=boxes, classes=classes)
    wanted = f"SSD has two outputs, ({n_anchors}, 4) and ({n_anchors}, 1 + labels)"
    raise _wrong(f"{wanted}, with no suppression inside", outputs)


def _nanodet(outputs: Sequence[Port], spec: InputSpec, n_labels: int) -> NanodetHead:
    levels, n_bins = _levels("NanoDet", outputs, spec, n_labels)
    return NanodetHead(levels=levels, n_bins=n_bins)


def _picodet(outputs: Sequence[Port], spec: InputSpec, n_labels: int) -> PicodetHead:
    levels, n_bins = _levels("PicoDet", outputs, spec, n_labels)
    return PicodetHead(levels=levels, n_bins=n_bins)


def _levels(
    kind: str, outputs: Sequence[Port], spec: InputSpec, n_labels: int
) -> tuple[tuple[Level, ...], int]:
    """Return the levels, each of which has two outputs, and the number of bins."""
    found = []
    depths = set()
    for stride in _LEVEL_STRIDES:
        rows = n_cells(spec, stride)
        match [port for port in outputs if port.shape[:-1] == (rows,)]:
            case [one, other]:
                # As exports have it, scores come first; where the labels tell, they decide.
                scores, distances = sorted((one, other), key=lambda port: port.shape[1] != n_labels)
                found.append(Level(stride=stride, scores=scores.name, distances=distances.name))
                depths.add((scores.shape[1], *divmod(distances.shape[1], 4)))
    match list(depths):
        case [(n_scores, n_bins, 0)] if 2 * len(found) == len(outputs):
            _require_labels(n_scores, n_labels)
            return tuple(found), n_bins
    raise _wrong(f"{kind} has two outputs a level, (cells, labels) and (cells, 4 * bins)", outputs)


def _require_labels(n_wanted: int, n_labels: int) -> None:
    if n_wanted != n_labels:
        raise LabelsDoNotMatch(
            f"the network tells apart {n_wanted} labels, and there are names of {n_labels}"
        )


def _wrong(wanted: str, outputs: Sequence[Port]) -> WrongOutputs:
    return WrongOutputs(f"{wanted}; this network has {_list(outputs)}")


def _list(ports: Sequence[Port]) -> str:
    shown = ", ".join(str(port) for port in ports[:_N_SHOWN])
    return f"{shown}, ..." if len(ports) > _N_SHOWN else shown or "none"


_BGR: Final = InputSpec(
    tensor="",
    width=32,
    height=32,
    colour="bgr",
    mean=(0.0, 0.0, 0.0),
    scale=(1.0, 1.0, 1.0),
    resize="stretch",
)

# The operations with few weights and long tails of values: squeeze-and-excitation, activations,
# depthwise convolutions. Found by measuring; what remains holds nearly all the work.
_TAILS: Final = ("GroupConvolution", "Sigmoid", "Multiply", "Add")

KINDS: Final = {
    "yolox": Kind(
        look=replace(_BGR, resize="letterbox-topleft", pad=114),
        nms_iou=0.65,
        head=_yolox,
        careful=Recipe("careful", (*_TAILS, "Swish", "Concat")),
    ),
    "picodet": Kind(
        look=replace(
            _BGR, colour="rgb", mean=(123.675, 116.28, 103.53), scale=(58.395, 57.12, 57.375)
        ),
        nms_iou=0.6,
        head=_picodet,
        careful=Recipe("careful", (*_TAILS, "HSwish", "HSigmoid")),
    ),
    "fastestdet": Kind(
        look=replace(_BGR, scale=(255.0, 255.0, 255.0)),
        nms_iou=0.45,
        head=_fastestdet,
        careful=Recipe("careful", _TAILS),
    ),
    "ssd": Kind(
        look=replace(_BGR, colour="rgb", mean=(127.5, 127.5, 127.5), scale=(127.5, 127.5, 127.5)),
        nms_iou=0.6,
        head=_ssd,
        careful=Recipe("careful", _TAILS),
    ),
    "nanodet": Kind(
        look=replace(
            _BGR,
            mean=(103.53, 116.28, 123.675),
            scale=(57.375, 57.12, 58.395),
            resize="letterbox-center",
        ),
        nms_iou=0.6,
        head=_nanodet,
        careful=Recipe("careful", _TAILS),
    ),
}
