"""Which function does what; filled when a worker loads the apps' `tasks` modules."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from webapp.jobs.attempts import Attempt
from webapp.jobs.ticks import Tick

Handler = Callable[[Attempt], None]
HANDLERS: dict[str, Handler] = {}
TickHandler = Callable[[Tick], None]


@dataclass(frozen=True)
class Periodic:
    """Work of the hub itself, done again and again."""

    kind: str
    period: timedelta
    handler: TickHandler

    @property
    def title(self) -> str:
        """What people read: the first line of the function's docstring."""
        lines = (self.handler.__doc__ or self.kind).strip().splitlines()
        return lines[0].rstrip(".")


PERIODIC: dict[str, Periodic] = {}


def does(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of `kind`. It may be called again after a crash."""

    def register(handler: Handler) -> Handler:
        if kind in HANDLERS:
            raise ValueError(f"two tasks do {kind!r}")
        HANDLERS[kind] = handler
        return handler

    return register


def every(period: timedelta, *, kind: str) -> Callable[[TickHandler], TickHandler]:
    """Register work of the hub itself, done once each `period` by whichever worker is first.

    Never twice at a time. A time that was missed is made up for once. What fails is tried again
    sooner, see `webapp.jobs.backoff`. `kind` is `app.what`, for good: the schedule's row has it.
    """

    def register(handler: TickHandler) -> TickHandler:
        if kind in PERIODIC:
            raise ValueError(f"two periodic tasks are {kind!r}")
        PERIODIC[kind] = Periodic(kind, period, handler)
        return handler

    return register
