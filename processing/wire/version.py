"""The version of all three programs; calendar versions, as `CHANGELOG.md` has them."""

from typing import Final

VERSION: Final = "2026.11.0"
