"""A bar on a terminal; silence elsewhere."""

import time
from typing import Final, TextIO

_WIDTH: Final = 30
_EVERY_S: Final = 0.2


class Bar:
    """How much of about `n_bytes` is done, drawn in place."""

    def __init__(self, out: TextIO, what: str, n_bytes: int) -> None:
        self._out = out
        self._what = what
        self._n_bytes = max(n_bytes, 1)
        self._n_done = 0
        self._drawn_at = 0.0
        self._is_shown = out.isatty()

    def tell(self, n_bytes: int) -> None:
        """Say that so many bytes more are done."""
        self._n_done += n_bytes
        if self._is_shown and time.monotonic() - self._drawn_at >= _EVERY_S:
            self._drawn_at = time.monotonic()
            self._draw(min(self._n_done / self._n_bytes, 0.99))

    def finish(self) -> None:
        """Draw it full, and begin a new line."""
        if self._is_shown:
            self._draw(1.0)
            self._out.write("\n")

    def _draw(self, share: float) -> None:
        full = round(share * _WIDTH)
        bar = "█" * full + "░" * (_WIDTH - full)
        self._out.write(f"\r{self._what:<10} {bar} {share:4.0%}  {size_in_words(self._n_done)} ")
        self._out.flush()


def size_in_words(n_bytes: float) -> str:
    """Return a size for people: 950 B, 12.4 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:  # noqa: PLR2004 - a thousand
            return f"{n_bytes:.1f} {unit}".replace(".0 ", " ")
        n_bytes /= 1000
    return f"{n_bytes:.1f} TB".replace(".0 ", " ")
