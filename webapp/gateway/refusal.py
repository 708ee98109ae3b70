"""Saying no to an agent: a code for the program, words for whoever reads its log."""

from typing import Final, Literal, TypeAlias

from processing.wire.messages import Refused

Code: TypeAlias = Literal[
    "protocol", "unknown_agent", "bad_signature", "revoked", "superseded",
    "malformed", "too_large", "clock_off", "timeout",
]  # fmt: skip

CLOSE_CODES: Final[dict[Code, int]] = {
    "malformed": 4400,
    "unknown_agent": 4401,
    "bad_signature": 4401,
    "revoked": 4403,
    "protocol": 4406,
    "timeout": 4408,
    "superseded": 4409,
    "too_large": 4413,
    "clock_off": 4425,
}
TRY_LATER: Final = 1013
"""The close code when the hub itself cannot go on right now."""


class Refusal(Exception):
    """The hub will not go on with this connection."""

    def __init__(self, code: Code, detail: str, *, is_final: bool = False) -> None:
        super().__init__(detail)
        self.code: Code = code
        self.detail = detail
        self.is_final = is_final

    @property
    def close_code(self) -> int:
        return CLOSE_CODES[self.code]

    def message(self) -> Refused:
        return Refused(code=self.code, detail=self.detail[:2000], is_final=self.is_final)
