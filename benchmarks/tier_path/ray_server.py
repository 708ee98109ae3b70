"""The tier on Ray Serve, alone on this machine: `PYTHON -m benchmarks.tier_path.ray_server PORT`.

It runs in an environment of its own, which needs ray[serve] and what the tier needs. Settings of
the tier come by its environment, as do Ray's own. It never calls `ray stop`, which would end every
Ray on the machine.
"""

import os
import signal
import sys
import threading

import ray  # type: ignore[import-not-found]  # in an environment of its own
from ray import serve

from processing.tier.on_ray import application

_STORE_BYTES = 200 * 1024 * 1024


def main(port: int) -> None:
    """Serve until SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ray.init(
        num_cpus=len(os.sched_getaffinity(0)),
        include_dashboard=False,
        object_store_memory=_STORE_BYTES,
        log_to_driver=False,
    )
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(application, name="tier", route_prefix="/")
    ended.wait()
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]))
