"""Words from other programs, made fit to store and to show."""

from typing import Final

_ALLOWED_CONTROLS: Final = "\t\n"
_REPLACED: Final = {
    code: "\N{REPLACEMENT CHARACTER}"
    for code in (*range(0x20), 0x7F)
    if chr(code) not in _ALLOWED_CONTROLS
}


def clean_text(text: str) -> str:
    """Return `text` without control characters: PostgreSQL stores no NUL, logs want no escapes."""
    return text.translate(_REPLACED)
