"""What a camera's pictures are like, in figures and, where they are bad, in words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from webapp.fleet.models import Camera


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the picture; `trouble` says what is bad about it, in words."""

    name: str
    value: str
    trouble: str = ""


_DARK, _GLARING = 0.08, 0.92
_FLAT = 0.04
_BLURRED = 15.0
_GRAINY = 12.0


def _brightness(value: float) -> str:
    if value < _DARK:
        return "very dark: is the lens covered, or its lamp broken?"
    return "glaring: does something shine into it?" if value > _GLARING else ""


def _contrast(value: float) -> str:
    return "flat: fog, dirt, or something in front of it?" if value < _FLAT else ""


def _sharpness(value: float) -> str:
    return "blurred: is it in focus, and clean?" if value < _BLURRED else ""


def _noise(value: float) -> str:
    return "grainy: more light would help" if value > _GRAINY else ""


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _plain(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"  # noqa: PLR2004 - digits that say something


_FIGURES: Final[tuple[tuple[str, str, Callable[[float], str], Callable[[float], str]], ...]] = (
    ("brightness", "Brightness", _percent, _brightness),
    ("contrast", "Contrast", _percent, _contrast),
    ("sharpness", "Sharpness", _plain, _sharpness),
    ("noise", "Noise", _plain, _noise),
    ("motion", "Moving", _percent, lambda _: ""),
)


def image_figures(camera: Camera) -> list[Figure]:
    """Return the figures that the agent reported last; none before it has reported any."""
    image = camera.image or {}
    return list(_known(image))


def gated_share(camera: Camera) -> float | None:
    """Return which share of its frames the motion gate spared the network; None while it is off."""
    if not camera.desired().gate.is_on:
        return None
    return camera.n_gated / max(camera.n_frames + camera.n_gated, 1)


def _known(image: dict[str, float]) -> Iterator[Figure]:
    for key, name, form, judge in _FIGURES:
        if (value := image.get(key)) is not None:
            yield Figure(name, form(float(value)), judge(float(value)))
