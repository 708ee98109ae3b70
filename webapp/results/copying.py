"""Results as PostgreSQL's binary COPY reads them.

Measured against `INSERT .. unnest .. ON CONFLICT DO NOTHING` with the same rows: 0.6 of the
server's CPU. A repeat is an error there, as it must be: results that come here lie beyond their
lane's cursor.
"""

import struct
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from processing.wire.packed import RECORD
from webapp.results.arrivals import NewResults

_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TAIL: Final = struct.pack(">h", -1)
_WHOSE: Final = struct.Struct(">h i16s i16s i16s i16s iq i")
"""How many columns, then for each its size and itself, up to the size of the seq."""
_ROW: Final = struct.Struct(">q iq iq id ih i")
"""The rest, up to the size of the detections."""
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL counts microseconds from here."""
_MICROSECOND: Final = timedelta(microseconds=1)


class Copied:
    """Rows on their way: their bytes, how many, and the UTC days that they were captured on."""

    def __init__(self, arrivals: Iterable[NewResults]) -> None:
        self._parts: list[bytes] = [_HEAD]
        self._days: set[int] = set()
        for arrived in arrivals:
            self._add(arrived)

    def _add(self, arrived: NewResults) -> None:
        organization, agent = bytes.fromhex(arrived.organization), bytes.fromhex(arrived.agent)
        received_at = (arrived.received_at - _EPOCH) // _MICROSECOND
        key, whose = ("", ""), b""
        parts, days, pack, size = self._parts, self._days, _ROW.pack, RECORD.size
        for new in arrived.results:
            if key != (new.camera, new.bundle):  # most have those of the one before
                key = (new.camera, new.bundle)
                camera, bundle = map(bytes.fromhex, key)
                whose = _WHOSE.pack(
                    11, 16, organization, 16, agent, 16, camera, 16, bundle, 8, arrived.epoch, 8
                )
            captured, n_bytes = new.captured_at - _EPOCH, len(new.detections)
            days.add(captured.days)
            parts += (
                whose,
                pack(
                    new.seq, 8, captured // _MICROSECOND, 8, received_at, 8, new.latency_ms, 2,
                    n_bytes // size, n_bytes,
                ),
                new.detections,
            )  # fmt: skip

    @property
    def is_empty(self) -> bool:
        return not self._days

    @property
    def days(self) -> list[date]:
        """Return the days, in UTC."""
        return [(_EPOCH + timedelta(days=day)).date() for day in self._days]

    @property
    def content(self) -> bytes:
        """Return the rows as COPY takes them."""
        return b"".join((*self._parts, _TAIL))
