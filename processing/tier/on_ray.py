"""The tier as a deployment of Ray Serve: `serve run processing.tier.on_ray:application`.

Each replica is a whole tier with its own line and batcher: what cannot be answered in time is
refused there, which Serve's own batching and queueing cannot do. How many there are, on how much
of a GPU, is said in `deploy/ray/serve.yaml`. Nothing else of ours imports Ray.
"""

from typing import Final

from ray import serve  # type: ignore[import-not-found]  # in an environment of its own
from starlette.types import ASGIApp

from processing.tier.program.replica import Replica

MAX_ONGOING: Final = 256
"""Requests that a replica has at once: as many as its line and its bench take, and more that it
refuses. What Serve itself would hold back by default could not be refused in time."""


def build() -> ASGIApp:
    """Return a replica's application; called in its own process."""
    return Replica()


application = serve.deployment(name="tier", max_ongoing_requests=MAX_ONGOING)(
    serve.ingress(build)()
).bind()
