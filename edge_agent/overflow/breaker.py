"""Whether the tier is worth a try. Nothing waits for one that is away: no frame is sent to see."""

import threading
import time
from typing import Final

_PROBE_LEAST_S: Final = 0.5
_PROBE_MOST_S: Final = 3.0
"""With a probe's own patience this is less than 5 s after its return."""
_FORGIVE_S: Final = 10.0
"""After so long without a failure the next one is the first again."""


class Breaker:
    """Any thread may call. Open from a failure until a probe finds the tier well."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reason = ""
        self._probe_at = 0.0
        self._wait_s = _PROBE_LEAST_S
        self._failed_at = float("-inf")
        self._answered_at = float("-inf")
        self._rests_until = 0.0
        self._rest_reason = ""

    def why_not(self) -> str:
        """Return why nothing is to be sent now, in words; empty if it may."""
        with self._lock:
            if self._reason:
                return self._reason
            return self._rest_reason if time.monotonic() < self._rests_until else ""

    def fail(self, reason: str) -> None:
        """Open: the tier cannot be reached, or breaks. The first probe is due at once.

        A tier whose probes are well and whose answers are not is asked less and less often.
        """
        now = time.monotonic()
        with self._lock:
            if self._reason:
                return
            is_again = now - self._failed_at < _FORGIVE_S
            self._wait_s = min(self._wait_s * 2.0, _PROBE_MOST_S) if is_again else _PROBE_LEAST_S
            self._failed_at, self._reason = now, reason
            self._probe_at = now + (self._wait_s if is_again else 0.0)

    def answered(self) -> None:
        """Say that the tier has answered, whatever it was."""
        with self._lock:
            self._answered_at = time.monotonic()

    def has_answered_since(self, instant: float) -> bool:
        """Return whether the tier has answered anything after a monotonic instant."""
        with self._lock:
            return self._answered_at > instant

    def rest(self, seconds: float, reason: str) -> None:
        """Send nothing for a while: the tier has asked for that; the longest wait counts."""
        until = time.monotonic() + seconds
        with self._lock:
            if until > self._rests_until:
                self._rests_until, self._rest_reason = until, reason

    @property
    def is_probe_due(self) -> bool:
        """Return whether it is time to ask the tier how it is."""
        with self._lock:
            return bool(self._reason) and time.monotonic() >= self._probe_at

    def probed(self, *, is_well: bool) -> None:
        """Say what the probe has found."""
        with self._lock:
            if is_well:
                self._reason = ""
            else:
                self._probe_at = time.monotonic() + self._wait_s
                self._wait_s = min(self._wait_s * 2.0, _PROBE_MOST_S)
