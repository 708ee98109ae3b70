"""How long to wait before trying again."""

from collections.abc import Callable


class Backoff:
    """Doubles from `base_s` to `cap_s`, with full jitter: a crowd that failed together spreads out.

    `dice` returns 0..1, uniform.
    """

    def __init__(self, *, base_s: float, cap_s: float, dice: Callable[[], float]) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._dice = dice
        self._n_failures = 0

    def next_s(self) -> float:
        """Return how long to wait now; the next wait may be twice as long."""
        ceiling = min(self._cap_s, self._base_s * 2.0**self._n_failures)
        if ceiling < self._cap_s:
            self._n_failures += 1
        # Never nothing at all: a peer that refuses at once must not be asked in a tight loop.
        return max(ceiling * self._dice(), self._base_s / 10.0)

    def reset(self) -> None:
        """Begin anew; what was tried has worked for a while."""
        self._n_failures = 0
