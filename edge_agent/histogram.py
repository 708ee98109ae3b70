"""How often something took how long: counts between fixed bounds."""

from bisect import bisect_left


class Histogram:
    """Counts of values up to each bound. Whoever shares it between threads locks it."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """Take upper bounds in rising order; what lies above the last is counted too."""
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        """Of all values."""

    def observe(self, value: float) -> None:
        """Count a value; one below 0, as a clock that went back makes it, is counted as 0."""
        value = max(0.0, value)
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def copy(self) -> "Histogram":
        """Return one with the same counts, which goes its own way."""
        other = Histogram(self._bounds)
        other._counts, other.total = list(self._counts), self.total
        return other

    @property
    def n(self) -> int:
        """How many values were counted."""
        return sum(self._counts)

    def cumulative(self) -> list[tuple[float, int]]:
        """Return (upper bound, values up to it) pairs; the last bound is infinite."""
        pairs: list[tuple[float, int]] = []
        n = 0
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            n += count
            pairs.append((bound, n))
        return pairs
