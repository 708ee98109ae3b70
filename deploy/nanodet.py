"""What the default bundle says of its network: NanoDet-g at 416 x 416, trained on COCO."""

from typing import Final

from processing.inference.heads.nanodet import Level, NanodetHead
from processing.inference.input_spec import InputSpec
from processing.inference.thresholds import Thresholds

NAME: Final = "nanodet-g-416"
VERSION: Final = "3"
"""Of the recipe; raise it when any of this, or how it is built, changes."""

STRIDES: Final = (8, 16, 32)

INPUT: Final = InputSpec(
    tensor="image",
    width=416,
    height=416,
    colour="bgr",
    mean=(103.53, 116.28, 123.675),
    scale=(57.375, 57.12, 58.395),
    resize="letterbox-center",
    pad=0,
)

BODY_HEAD: Final = NanodetHead(
    levels=tuple(
        Level(stride=stride, scores=f"cls_{stride}", distances=f"dis_{stride}")
        for stride in STRIDES
    ),
    n_bins=11,
)

"""Reads the network as it comes; in the bundle it decodes and suppresses by itself."""

THRESHOLDS: Final = Thresholds(score_floor=0.1, nms_iou=0.6)
"""Below a tenth lie hundreds of candidates a picture, and a tracker uses none of them."""

TENSORS: Final = {
    "input_1": "image",
    "Identity": "cls_8",
    "Identity_1": "cls_16",
    "Identity_2": "cls_32",
    "Identity_3": "dis_8",
    "Identity_4": "dis_16",
    "Identity_5": "dis_32",
}
"""The graph's own names for its input and outputs -> ours."""

LABELS: Final = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
    "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog",
    "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella",
    "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite",
    "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich",
    "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote",
    "keyboard", "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book",
    "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip
"""COCO's, in the order of the network's outputs."""

PUBLISHED_MAP: Final = 0.229
"""On COCO val2017, as NanoDet's own documentation has it."""
