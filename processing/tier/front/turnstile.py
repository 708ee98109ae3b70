"""Turns requests away by their heads alone, while they have no chance to be answered in time.

A refusal that goes the whole way, body and all, costs as much as twenty of these; ten times more
requests than can be answered would leave little time to answer any.
"""

import secrets
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

from processing.tier.contract import MAX_BUDGET_MS, Inquiry, UnknownModel
from processing.tier.front.answers import problem_response
from processing.tier.front.detect import DEFAULT_BUDGET_MS, PATHS
from processing.tier.front.door import Door
from processing.tier.front.refusals import refusal_of
from processing.tier.hub.credentials import bearer_of

_KNOWN: Final = 1024
"""Addresses whose meaning is remembered."""
_MAX_URL: Final = 1000
_PARAMETERS: Final = frozenset(("model", "budget_ms", "version", "sticky", "min_score", "urgency"))


class Turnstile:
    """Looks at heads of `POST /api/v1/detect/`; lets all others pass."""

    def __init__(self, door: Door, on_refused: Callable[[str, int], None]) -> None:
        """`on_refused` is told route and status, for the figures."""
        self._door = door
        self._on_refused = on_refused

    def refuse(self, url: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bytes | None:
        """Return a whole answer; None if the request may come in, to be judged or refused there."""
        inquiry = _inquiry(url) if len(url) <= _MAX_URL else None
        if inquiry is None:
            return None
        bearer = next((value for name, value in headers if name == b"authorization"), b"")
        try:
            why = self._door.turn_away(bearer_of(bearer.decode("latin-1")), inquiry)
        except UnknownModel:
            return None
        if why is None:
            return None
        answer = problem_response(refusal_of(why))
        self._on_refused("detect", answer.status_code)
        lines = [
            b"HTTP/1.1 %d Service Unavailable" % answer.status_code,
            *(b"%b: %b" % header for header in answer.raw_headers),
            b"x-request-id: %b" % secrets.token_hex(16).encode(),
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n" + bytes(answer.body)


@lru_cache(_KNOWN)
def _inquiry(url: bytes) -> Inquiry | None:
    """Return what a sound address asks; None of any other, which is told later what is wrong."""
    path, _, query = url.partition(b"?")
    if path.decode("latin-1") not in PATHS:
        return None
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query))
        given = dict(pairs)
        budget_ms = float(given.get("budget_ms") or DEFAULT_BUDGET_MS)
    except ValueError:
        return None
    is_sound = len(given) == len(pairs) and _PARAMETERS.issuperset(given)
    if not is_sound or not 0.0 < budget_ms <= MAX_BUDGET_MS:
        return None
    return Inquiry(
        picture=b"",
        model=given.get("model", ""),
        budget_ms=budget_ms,
        tenant="",
        version=given.get("version", ""),
        sticky=given.get("sticky", ""),
        urgency="batch" if given.get("urgency") == "batch" else "interactive",
    )
