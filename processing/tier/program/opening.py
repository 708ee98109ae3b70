"""Opens the local tier on the device that the settings name."""

import asyncio
from typing import Final

from processing.tier.judging.judges import JudgeOpener
from processing.tier.judging.openvino_judge import OpenvinoOpener
from processing.tier.local import LocalTier
from processing.tier.program.config import BadConfig, TierConfig

ON_ONNX: Final = ("onnx", "cuda", "tensorrt")
"""Devices that ONNX Runtime has; all others are OpenVINO's. `onnx` is the best that is here."""
_GPU_BATCH: Final = 32
_MB: Final = 1024 * 1024


async def open_tier(config: TierConfig) -> LocalTier:
    """Return a tier that serves nothing yet. Raise `BadConfig` if the device is not here."""
    opener = await asyncio.to_thread(_opener, config)
    return LocalTier(
        config.bundles,
        opener,
        memory_bytes=config.memory_mb * _MB,
        held_bytes=config.bodies_mb * _MB,
    )


def _opener(config: TierConfig) -> JudgeOpener:
    cache_dir = config.data_dir / "cache"
    if config.device not in ON_ONNX:
        return OpenvinoOpener(device=config.device, cache_dir=cache_dir)
    try:
        # It is no part of the tier's own packages: a GPU machine has the build that fits its GPU.
        from processing.tier.judging.onnx_judge import OnnxOpener, usual_means  # noqa: PLC0415
        from processing.tier.judging.onnx_network import OnnxMeans, OnnxRefused  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise BadConfig(f"{config.device} needs ONNX Runtime: {error}") from error
    try:
        match config.device:
            case "cuda":
                means = OnnxMeans(provider="cuda", max_batch=_GPU_BATCH)
            case "tensorrt":
                means = OnnxMeans(provider="tensorrt", max_batch=_GPU_BATCH, cache_dir=cache_dir)
            case _:
                means = usual_means()
        return OnnxOpener(means)
    except OnnxRefused as error:
        raise BadConfig(f"{config.device} does not run here: {error}") from error
