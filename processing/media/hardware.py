"""Decoding on a graphics chip, where there is one; a machine without is no worse off.

The decoded pictures come back to main memory, so nothing after the decoder differs. FFmpeg, as
PyAV brings it for Linux, has `qsv` (Intel) and `cuda`, not `vaapi`.
"""

import sys
from pathlib import Path
from typing import Final

from av.codec.hwaccel import HWAccel, hwdevices_available

_RENDER_NODES: Final = Path("/dev/dri")


def accelerator(kind: str, *, render_nodes: Path = _RENDER_NODES) -> HWAccel | None:
    """Return what decodes on a chip of that kind (qsv, vaapi, d3d11va, ...).

    None if `kind` is empty, FFmpeg was built without it, or a Linux machine has no render device.
    That it is returned does not mean that it works: a codec may be unknown to the chip.
    """
    if not kind or kind not in hwdevices_available():
        return None
    if sys.platform == "linux" and not any(render_nodes.glob("renderD*")):
        return None
    return HWAccel(kind, allow_software_fallback=True)
