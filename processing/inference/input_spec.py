"""What a network wants to see: size, colours, and how a picture of another shape is fitted."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

ResizeMode: TypeAlias = Literal["letterbox-center", "letterbox-topleft", "stretch"]
Side = Annotated[int, Meta(ge=32, le=4096, multiple_of=2)]
"""Even, because chroma has half the size."""
Positive = Annotated[float, Meta(gt=0)]


class InputSpec(Struct, frozen=True, kw_only=True):
    """The input tensor: float32 (1, 3, height, width), `(colour - mean) / scale`."""

    tensor: str
    width: Side
    height: Side
    colour: Literal["bgr", "rgb"]
    mean: tuple[float, float, float]
    """Per channel in the order of `colour`, of values 0..255."""
    scale: tuple[Positive, Positive, Positive]
    """As `mean`; a standard deviation, by which is divided."""
    resize: ResizeMode
    pad: Annotated[int, Meta(ge=0, le=255)] = 0
    """The grey around a letterboxed picture, 0..255, before mean and scale."""
