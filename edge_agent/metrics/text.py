"""Prometheus' text format, version 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isinf, isnan
from typing import Final, Literal, TypeAlias

from edge_agent.histogram import Histogram

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]

_IN_LABELS: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_IN_HELP: Final = str.maketrans({"\\": r"\\", "\n": r"\n"})


@dataclass(slots=True)
class Family:
    """One figure, with a value for each of its sets of labels."""

    name: str
    kind: Kind
    help: str
    """A sentence for people."""
    _lines: list[str] = field(default_factory=list)

    def add(self, value: float, /, **labels: str) -> None:
        """Add a value; names of labels must be identifiers."""
        self._lines.append(_line(self.name, labels, value))

    def add_histogram(self, histogram: Histogram, /, **labels: str) -> None:
        """Add all that a histogram counted."""
        for bound, n in histogram.cumulative():
            self._lines.append(_line(f"{self.name}_bucket", labels | {"le": _number(bound)}, n))
        self._lines.append(_line(f"{self.name}_sum", labels, histogram.total))
        self._lines.append(_line(f"{self.name}_count", labels, histogram.n))

    def text(self) -> str:
        """Return the family as Prometheus reads it; empty if it has no value."""
        if not self._lines:
            return ""
        about = f"# HELP {self.name} {self.help.translate(_IN_HELP)}\n"
        return about + f"# TYPE {self.name} {self.kind}\n" + "".join(self._lines)


def render(families: Iterable[Family]) -> str:
    """Return a whole page."""
    return "".join(family.text() for family in families)


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    pairs = ",".join(f'{key}="{text.translate(_IN_LABELS)}"' for key, text in labels.items())
    return f"{name}{{{pairs}}} {_number(value)}\n" if pairs else f"{name} {_number(value)}\n"


def _number(value: float) -> str:
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
