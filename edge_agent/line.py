"""The frames of one camera that are being judged, in the order in which they were taken."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime  # noqa: TC003 - as the rest of the house has it

from edge_agent.inspection import Inspection


class Line:
    """Whoever shares it between threads locks it. Answers come in any order, and leave in this."""

    def __init__(self) -> None:
        self._inspections: deque[Inspection] = deque()
        self._left_at: datetime | None = None
        """When the frame was taken that left last."""

    def __len__(self) -> int:
        return len(self._inspections)

    def __iter__(self) -> Iterator[Inspection]:
        return iter(self._inspections)

    def append(self, inspection: Inspection) -> None:
        """Add the newest."""
        self._inspections.append(inspection)

    def insert(self, inspection: Inspection) -> bool:
        """Add one that newer ones may have overtaken; False: its place has left already."""
        at = inspection.frame.captured_at
        place = len(self._inspections)
        while place and self._inspections[place - 1].frame.captured_at > at:
            place -= 1
        if not place and self._left_at is not None and self._left_at > at:
            return False
        self._inspections.insert(place, inspection)
        return True

    def remove(self, inspection: Inspection) -> None:
        """Take one out that is not judged after all."""
        self._inspections.remove(inspection)

    @property
    def first(self) -> Inspection | None:
        """Return the oldest, whose turn it is to leave."""
        return self._inspections[0] if self._inspections else None

    def leave(self) -> Inspection:
        """Take the oldest out."""
        inspection = self._inspections.popleft()
        self._left_at = inspection.frame.captured_at
        return inspection
