"""What can still be read of a file that is not used any more."""

from collections.abc import Iterator
from pathlib import Path

import apsw

from edge_agent.spool.lane import LaneRows
from edge_agent.spool.spool import New
from processing.wire.messages import LANES


def intact_entries(path: Path) -> Iterator[New]:
    """Yield what the hub has not taken and whose digest is right, lane by lane, oldest first.

    Stops without a word where the file cannot be read any further.
    """
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    except apsw.Error:
        return
    try:
        for lane in LANES:
            yield from _lane_entries(LaneRows(db, lane))
    except (apsw.Error, ValueError, TypeError):
        # Pages full of rubbish; whatever lies beyond cannot be told from it.
        return
    finally:
        db.close(force=True)


def _lane_entries(rows: LaneRows) -> Iterator[New]:
    after = rows.counts.acked_through
    while found := rows.rows(after, 100):
        for row in found:
            if rows.is_intact(row):
                yield New.from_row(rows.lane, row)
        after = found[-1].seq
