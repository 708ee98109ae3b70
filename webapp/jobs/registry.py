"""Which function does which kind of job; filled when a worker loads the apps' `tasks` modules."""

from collections.abc import Callable

from webapp.jobs.attempts import Attempt

Handler = Callable[[Attempt], None]
HANDLERS: dict[str, Handler] = {}


def does(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of `kind`. It may be called again after a crash."""

    def register(handler: Handler) -> Handler:
        if kind in HANDLERS:
            raise ValueError(f"two tasks do {kind!r}")
        HANDLERS[kind] = handler
        return handler

    return register
