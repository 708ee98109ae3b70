"""What a head asks of the shapes of a network's outputs."""

from collections.abc import Mapping

from processing.inference.heads.decoder import Unfit


def require_shapes(
    wanted: Mapping[str, tuple[int, ...]], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Raise `Unfit` that names the first output that is missing or of another shape."""
    for name, shape in wanted.items():
        if name not in shapes:
            raise Unfit(f"the network has no output {name!r}")
        if shapes[name] != shape:
            raise Unfit(f"output {name!r} has the shape {shapes[name]}, not {shape}")
