"""What a network wants to see: size, colours, and how a picture of another shape is fitted."""

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

ResizeMode: TypeAlias = Literal["letterbox-center", "letterbox-topleft", "stretch"]
Side = Annotated[int, Meta(ge=32, le=4096, multiple_of=2)]
"""Even, because chroma has half the size."""
Positive = Annotated[float, Meta(gt=0)]


class InputSpec(Struct, frozen=True, kw_only=True):
    """The input tensor: float32, `(colour - mean) / scale`, of the shape that `layout` says."""

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
    layout: Literal["nchw", "nhwc"] | UnsetType = UNSET
    """Order of the axes; unset, and then not written either, is nchw: (1, 3, height, width)."""

    @property
    def is_channels_last(self) -> bool:
        return self.layout == "nhwc"

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of the input tensor."""
        if self.is_channels_last:
            return (1, self.height, self.width, 3)
        return (1, 3, self.height, self.width)
