"""Every kind of head. A new one is a file beside this and its name in the union."""

from typing import TypeAlias

from processing.inference.heads.fastestdet import FastestdetHead
from processing.inference.heads.nanodet import NanodetHead
from processing.inference.heads.picodet import PicodetHead
from processing.inference.heads.ssd import SsdHead
from processing.inference.heads.suppressed import SuppressedHead
from processing.inference.heads.yolox import YoloxHead

Head: TypeAlias = NanodetHead | PicodetHead | YoloxHead | FastestdetHead | SsdHead | SuppressedHead
"""Told apart in a manifest by `kind`."""
