"""Every kind of head. A new one is a file beside this and its name in the union."""

from typing import TypeAlias

from processing.inference.heads.nanodet import NanodetHead

Head: TypeAlias = NanodetHead
"""Told apart in a manifest by `kind`."""
