"""What the generator of load is told, and what it counted."""

from typing import Literal, TypeAlias

import msgspec

Dialect: TypeAlias = Literal["detect", "raw", "v2"]
"""How a server wants its pictures: `POST /api/v1/detect/`; the JPEG alone; base64 in JSON."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asked, what, and how often."""

    port: int
    path: str
    dialect: Dialect
    pictures: str
    """A folder of JPEGs; they are asked about by turns."""
    seconds: float
    budget_ms: float
    per_s: float = 0.0
    """Requests, come what may: arrivals of a Poisson process. 0: `n_open` at all times instead."""
    n_open: int = 0
    seed: int = 1
    deadline_s: float = 30.0
    """Whoever has not answered so long after the last request does not."""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How it went. Times count from when a request was due, whether or not it could be sent."""

    n_sent: int
    n_good: int
    """Answered within the budget."""
    n_late: int
    """Answered after it."""
    n_refused: int
    """429, 503 and 504: said no."""
    n_failed: int
    """Anything else, or no answer at all."""
    seconds: float
    """Over which requests were due; where as many are open at all times, until the last answer."""
    until_s: float
    """When the last picture was answered: a backlog goes on after the last request."""
    p50_ms: float | None
    """Of answers, late ones too."""
    p99_ms: float | None
    lag_p99_ms: float
    """How long after it was due a request was sent: the generator's own fault."""
    cpu_s: float
    """Of the generator."""

    @property
    def n_answered(self) -> int:
        return self.n_good + self.n_late
