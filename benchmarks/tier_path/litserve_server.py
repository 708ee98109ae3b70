"""The same bundle behind LitServe: `PYTHON -m benchmarks.tier_path.litserve_server BUNDLE PORT`.

It runs in an environment of its own, which needs litserve, openvino, opencv-python-headless,
msgspec, structlog and av. Pictures come as they are (its own examples send base64 in JSON, which
costs more), and are looked at side by side, a batch at a time.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import litserve  # type: ignore[import-not-found]  # in an environment of its own
from fastapi import Body  # type: ignore[import-not-found]  # as above

from benchmarks.tier_path.looking import Looking, Said, as_said

MAX_BATCH = 16
_WAIT_S = 0.002


class Look(litserve.LitAPI):  # type: ignore[misc]  # as above
    """Its way to say what is done with a request."""

    def __init__(self, bundle: Path) -> None:
        super().__init__(max_batch_size=MAX_BATCH, batch_timeout=_WAIT_S)
        self._bundle = bundle

    def setup(self, device: str) -> None:  # noqa: ARG002 - its signature
        self._looking = Looking(self._bundle)
        self._threads = ThreadPoolExecutor(self._looking.n_at_once)

    def decode_request(self, request: Annotated[bytes, Body(media_type="image/jpeg")]) -> bytes:
        return request

    def batch(self, inputs: Sequence[bytes]) -> Sequence[bytes]:
        return inputs

    def predict(self, x: Sequence[bytes]) -> list[Said]:
        return list(self._threads.map(self._look, x))

    def unbatch(self, output: list[Said]) -> list[Said]:
        return output

    def encode_response(self, output: Said) -> dict[str, Any]:
        return dict(output)

    def _look(self, picture: bytes) -> Said:
        return as_said(self._looking.look(self._looking.frame(picture)))


if __name__ == "__main__":
    server = litserve.LitServer(Look(Path(sys.argv[1])), accelerator="cpu", timeout=False)
    server.run(
        host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning"
    )
