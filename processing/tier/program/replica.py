"""The tier as an ASGI application that another server listens for: a replica among several.

It opens when that server says that it begins (ASGI's lifespan) and drains when it says that it
ends. Ray Serve is such a server; so is any other that knows lifespans. What only our own server
does is left out: refusing by the head alone, and gRPC.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from processing.tier.program.app import Program
from processing.tier.program.config import BadConfig, load_config, read_token
from processing.tier.program.logs import configure_logs
from processing.tier.program.metrics import TierFigures
from processing.tier.program.opening import open_tier

MAX_REPLICAS: Final = 256
"""On one folder of data."""
READY_S: Final = 60.0
"""Requests come once some version is loaded; without any after so long they are told why not."""
_UNWELL_RETRY: Final = b"1"

log = structlog.get_logger()


class Replica:
    """The application. All settings are the tier's own, from the environment."""

    def __init__(self) -> None:
        self._application: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._application is None:
            headers = [(b"retry-after", _UNWELL_RETRY)]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._application(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()  # that it begins
        try:
            config = load_config()
            token = read_token(config)
            configure_logs(config.log_format, config.log_level)
            folder = Folder(config.data_dir)
            config = config.model_copy(update={"data_dir": folder.path})
            tier = await open_tier(config)
        except (BadConfig, OSError) as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        program = Program(config, token, tier)
        program.watch(TierFigures(tier))
        try:
            async with program.working() as self._application:
                log.info("replica.began", device=config.device, data=str(folder.path))
                if not await program.wait_until_ready(READY_S):
                    log.warning("replica.not_ready", waited_s=READY_S)
                await send({"type": "lifespan.startup.complete"})
                await receive()  # that it ends
                log.info("replica.ends")
        finally:
            self._application = None
            folder.close()
        await send({"type": "lifespan.shutdown.complete"})


class Folder:
    """A folder of its own for each replica on a machine, the same ones again after a restart.

    Each is a tier to the hub, with an identity, and with uses that are still to be reported.
    """

    def __init__(self, data_dir: Path) -> None:
        """Take the first that nobody has. Raise `OSError` if all are taken."""
        for number in range(MAX_REPLICAS):
            path = data_dir / f"replica-{number}"
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            self.path = path
            self._lock = lock
            return
        raise OSError(f"{MAX_REPLICAS} replicas have their folders in {data_dir} already")

    def close(self) -> None:
        """Let another have it."""
        os.close(self._lock)
