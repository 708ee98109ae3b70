"""How long things take, learnt from how long they took: what may be promised rests on it."""

from collections import deque
from typing import Final

WINDOW: Final = 48
"""The quantile is of so many last ones: few, so that a hiccup is soon forgotten."""
QUANTILE: Final = 0.9
"""On times that scatter widely, more refuses what could be done, and less begins what cannot."""
LEAST_TURN_S: Final = 1e-4
"""Clocks of some event loops count whole milliseconds: to them a quick judge takes no time."""
_WEIGHT: Final = 0.1
"""Of the newest in a moving average."""


class Durations:
    """Of one kind of thing: a moving average, and what nearly all stay below. Seconds."""

    def __init__(self, first_s: float) -> None:
        """`first_s` is believed until something was seen."""
        self.mean_s = first_s
        self._high_s: float | None = first_s
        self._last: deque[float] = deque(maxlen=WINDOW)

    def note(self, took_s: float) -> None:
        """Learn from one that took so long."""
        self.mean_s = took_s if not self._last else _moved(self.mean_s, took_s)
        self._last.append(took_s)
        self._high_s = None

    @property
    def high_s(self) -> float:
        """Return what nine in ten stay below."""
        if self._high_s is None:
            ordered = sorted(self._last)
            self._high_s = ordered[min(len(ordered) - 1, int(QUANTILE * len(ordered)))]
        return self._high_s


class DurationsBySize:
    """As `Durations`, apart for things of each size: to the next power of two, of pictures, pixels.

    What has not been seen is taken for the nearest that has.
    """

    def __init__(self, first_s: float) -> None:
        self._first = Durations(first_s)
        self._by_size: dict[int, Durations] = {}

    def note(self, size: int, took_s: float) -> None:
        """Learn from one of this size."""
        kind = size.bit_length()
        if kind not in self._by_size:
            self._by_size[kind] = Durations(took_s)
        self._by_size[kind].note(took_s)

    def of(self, size: int) -> Durations:
        """Return what is known of this size."""
        if not self._by_size:
            return self._first
        kind = size.bit_length()
        return self._by_size[min(self._by_size, key=lambda seen: (abs(seen - kind), -seen))]


class ServiceTime:
    """What one version's pictures take, and how far from that forecasts were."""

    def __init__(self) -> None:
        self.decode: Final = DurationsBySize(0.005)
        """By pixels."""
        self.infer: Final = DurationsBySize(0.02)
        """By pictures in the batch."""
        self.serve: Final = DurationsBySize(0.03)
        """From being taken out of the line to being answered; by how many are then out of it."""
        self.turn = Durations(0.02)
        """Between one picture and the next, while there is always a next."""
        self.error_s = 0.0
        """Moving average of how far from the forecast, either way, an answer came."""
        self.bias_s = 0.0
        """As `error_s`, with its sign: above 0 when answers come later than was thought."""

    def warm(self, n: int, took_s: float, *, turn_s: float) -> None:
        """Believe what a batch of `n` took, and a picture in a row, until pictures were seen."""
        self.infer.note(n, took_s)
        self.turn = Durations(turn_s)
        self.serve.note(n, self.decode.of(0).mean_s + took_s)

    @property
    def turn_s(self) -> float:
        """Return the mean of `turn`, above 0."""
        return max(LEAST_TURN_S, self.turn.mean_s)

    def forecast_s(self, n_ahead: int, *, is_room: bool) -> float:
        """Return in how long one that comes now is taken out of the line, about."""
        return 0.0 if is_room and not n_ahead else (n_ahead + 1) * self.turn_s

    def note_forecast(self, forecast_s: float, took_s: float) -> None:
        """Learn how wrong a forecast was."""
        self.error_s = _moved(self.error_s, abs(took_s - forecast_s))
        self.bias_s = _moved(self.bias_s, took_s - forecast_s)


def _moved(mean: float, newest: float) -> float:
    return mean + _WEIGHT * (newest - mean)
