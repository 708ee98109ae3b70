"""How many pictures a second each tenant may send: token buckets, as many as are in use."""

from typing import Final

from processing.tier.contract import Overloaded

MAX_BUCKETS: Final = 10_000
"""Of tenants who sent something lately; a crowd of strangers gets no more memory than this."""


class Bucket:
    """Tokens that come at a rate, up to a burst; taken whole or not at all."""

    def __init__(self, burst: float, *, at_s: float) -> None:
        self._tokens = burst
        self._at_s = at_s

    def take(self, n: int, *, per_s: float, burst: float, at_s: float) -> float:
        """Take `n` tokens and return 0; or take none and return in how many seconds it may be.

        Rate and burst may be others than before. More than a burst at once may never be taken:
        it is infinity.
        """
        passed_s = max(0.0, at_s - self._at_s)
        self._tokens = min(burst, self._tokens + passed_s * per_s)
        self._at_s = at_s
        if n <= self._tokens:
            self._tokens -= n
            return 0.0
        return (n - self._tokens) / per_s if n <= burst else float("inf")


class Buckets:
    """The buckets of those who sent something lately, by whatever tells them apart."""

    def __init__(self, *, max_buckets: int = MAX_BUCKETS) -> None:
        self._max_buckets = max_buckets
        self._buckets: dict[str, Bucket] = {}
        """Those that were used last come last."""

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, tenant: str, n: int, *, per_s: float, burst: int, at_s: float) -> None:
        """Count `n` pictures of a tenant; `per_s` > 0. Raise `Overloaded`, and nothing counts."""
        bucket = self._buckets.pop(tenant, None) or self._new(burst, at_s)
        self._buckets[tenant] = bucket
        wait_s = bucket.take(n, per_s=per_s, burst=burst, at_s=at_s)
        if wait_s == float("inf"):
            message = f"{n} pictures at once; at most {burst} are taken"
            raise Overloaded(message, retry_after_s=burst / per_s)
        if wait_s:
            raise Overloaded(f"more than {per_s:g} pictures a second", retry_after_s=wait_s)

    def _new(self, burst: int, at_s: float) -> Bucket:
        if len(self._buckets) >= self._max_buckets:
            # Whoever was quiet for longest: its bucket is the likeliest to be full again.
            del self._buckets[next(iter(self._buckets))]
        return Bucket(burst, at_s=at_s)
