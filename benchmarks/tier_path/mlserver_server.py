"""The same bundle behind MLServer: `PYTHON -m benchmarks.tier_path.mlserver_server BUNDLE PORT`.

It runs in an environment of its own, which needs mlserver, openvino, opencv-python-headless,
msgspec, structlog and av. Pictures come as base64 in JSON, the only way its HTTP has.
"""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from mlserver import MLModel, MLServer  # type: ignore[import-not-found]  # of its own environment
from mlserver.codecs import Base64Codec, StringCodec  # type: ignore[import-not-found]  # as above
from mlserver.settings import (  # type: ignore[import-not-found]  # as above
    ModelParameters,
    ModelSettings,
    Settings,
)
from mlserver.types import (  # type: ignore[import-not-found]  # as above
    InferenceRequest,
    InferenceResponse,
)

from benchmarks.tier_path.looking import Looking, as_said

NAME = "look"


class Look(MLModel):  # type: ignore[misc]  # as above
    """Its way to say what is done with a request."""

    async def load(self) -> bool:
        self._looking = Looking(Path(self.settings.parameters.uri))
        self._threads = ThreadPoolExecutor(self._looking.n_at_once)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        (picture,) = Base64Codec.decode_input(payload.inputs[0])
        loop = asyncio.get_running_loop()
        said = await loop.run_in_executor(self._threads, self._look, picture)
        output = StringCodec.encode_output("found", [said])
        return InferenceResponse(model_name=self.name, outputs=[output])

    def _look(self, picture: bytes) -> str:
        found = self._looking.look(self._looking.frame(picture))
        return msgspec.json.encode(as_said(found)).decode()


async def _serve(bundle: str, port: int) -> None:
    settings = Settings(
        host="127.0.0.1", http_port=port, grpc_port=port + 1, metrics_endpoint=None,
        parallel_workers=0, debug=False, metrics_port=port + 2,
    )  # fmt: skip
    model = ModelSettings(
        name=NAME, implementation=Look, parameters=ModelParameters(uri=bundle, version="1")
    )
    await MLServer(settings).start([model])


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
