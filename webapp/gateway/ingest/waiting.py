"""What waits for its commit: alerts first, pictures last, and nothing starves."""

from collections import deque
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from webapp.gateway.ingest.delivery import Delivery, Unnumbered, lane_of

Class: TypeAlias = Literal["alerts", "reports", "events", "results", "media"]
CLASSES: Final[tuple[Class, ...]] = ("alerts", "reports", "events", "results", "media")
"""In the order of their turns; reports are small, and say that an agent is alive."""


def class_of(delivery: Delivery) -> Class:
    message = delivery.message
    return "reports" if isinstance(message, Unnumbered) else lane_of(message)


class Waiting:
    """Deliveries by class; of one class in the order in which they came."""

    def __init__(self) -> None:
        self._of_class: dict[Class, deque[Delivery]] = {each: deque() for each in CLASSES}
        self.n_entries = 0
        self.n_bytes = 0

    def put(self, delivery: Delivery) -> None:
        self._of_class[class_of(delivery)].append(delivery)
        self.n_entries += delivery.n_entries
        self.n_bytes += delivery.n_bytes

    def take(self, *, most_entries: int, most_bytes: int) -> list[Delivery]:
        """Return a group's worth: all alerts, one delivery of every class, then by turn."""
        group: list[Delivery] = []
        n_entries = n_bytes = 0
        for queue in self._turns():
            if n_entries >= most_entries or n_bytes >= most_bytes:
                break
            delivery = queue.popleft()
            n_entries += delivery.n_entries
            n_bytes += delivery.n_bytes
            group.append(delivery)
        self.n_entries -= n_entries
        self.n_bytes -= n_bytes
        return group

    def _turns(self) -> Iterator[deque[Delivery]]:
        """Yield from which queue the next is to be taken; each is not empty then."""
        alerts, *others = self._of_class.values()
        while alerts:
            yield alerts
        yield from filter(None, others)
        for queue in others:
            while queue:
                yield queue
