"""Who waits to be judged by one version, and who is next. Pure: the caller has the clock.

The earliest deadline goes first, among tenants who have not had more than their share; batches get
what somebody's waiting leaves over. What can no longer be done in time is dropped before anything
is done for it: the earliest deadline first without that check answers next to nobody once it is
full.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from processing.tier.contract import Urgency

LEEWAY: Final = 8
"""Pictures a tenant may be ahead of the one who had fewest, for the sake of deadlines."""
_URGENCIES: Final[tuple[Urgency, ...]] = ("interactive", "batch")

T = TypeVar("T")


@dataclass(eq=False, slots=True, kw_only=True)
class Place(Generic[T]):
    """A place in the line."""

    item: T
    tenant: str
    urgency: Urgency
    deadline_s: float
    """On the caller's clock."""


@dataclass(slots=True)
class _Queue(Generic[T]):
    """One tenant's, earliest deadline first."""

    n_taken: int
    """How many it has had, counted from what the one with fewest had when it came."""
    places: list[Place[T]] = field(default_factory=list)


class _Class(Generic[T]):
    """Those of one urgency. A tenant is known for as long as it waits."""

    def __init__(self) -> None:
        self.queues: dict[str, _Queue[T]] = {}
        self.n_places = 0

    @property
    def fewest_taken(self) -> int:
        return min((queue.n_taken for queue in self.queues.values()), default=0)

    def add(self, place: Place[T]) -> None:
        queue = self.queues.get(place.tenant)
        if queue is None:
            queue = self.queues[place.tenant] = _Queue(self.fewest_taken)
        insort(queue.places, place, key=_deadline)
        self.n_places += 1

    def remove(self, place: Place[T]) -> None:
        queue = self.queues[place.tenant]
        queue.places.remove(place)
        self.n_places -= 1
        if not queue.places:
            del self.queues[place.tenant]

    def next(self) -> Place[T]:
        most = self.fewest_taken + LEEWAY
        heads = (queue.places[0] for queue in self.queues.values() if queue.n_taken <= most)
        return min(heads, key=_deadline)

    def n_ahead(self, tenant: str, deadline_s: float) -> int:
        """Return how many go before one that would come now, if nobody came after it."""
        earlier = {
            name: bisect_right(queue.places, deadline_s, key=_deadline)
            for name, queue in self.queues.items()
        }
        own = earlier.pop(tenant, 0)
        return own + sum(min(n, own + 1 + LEEWAY) for n in earlier.values())

    def greediest(self) -> _Queue[T]:
        return max(self.queues.values(), key=lambda queue: len(queue.places))


class Line(Generic[T]):
    """At most `cap` places. Every operation takes time in proportion to its tenants at most."""

    def __init__(self, cap: int) -> None:
        self.cap: Final = cap
        self._classes: Final[dict[Urgency, _Class[T]]] = {
            urgency: _Class() for urgency in _URGENCIES
        }

    def __len__(self) -> int:
        return sum(each.n_places for each in self._classes.values())

    def __iter__(self) -> Iterator[Place[T]]:
        for each in self._classes.values():
            for queue in each.queues.values():
                yield from queue.places

    def n_ahead(self, *, tenant: str, urgency: Urgency, deadline_s: float) -> int:
        """Return how many would go before such a one, as far as can be known."""
        ahead = self._classes[urgency].n_ahead(tenant, deadline_s)
        return ahead + (self._classes["interactive"].n_places if urgency == "batch" else 0)

    def add(self, place: Place[T]) -> Place[T] | None:
        """Take one in; return who had to leave for it, itself if nobody has less right to stay."""
        leaving = self._who_leaves(place) if len(self) >= self.cap else None
        if leaving is not place:
            self._classes[place.urgency].add(place)
        if leaving is not None and leaving is not place:
            self._classes[leaving.urgency].remove(leaving)
        return leaving

    def has_room_for(self, place: Place[T]) -> bool:
        """Return whether one that came now would be let in, be it in another's stead."""
        return len(self) < self.cap or self._who_leaves(place) is not place

    def take(self) -> Place[T] | None:
        """Return the next, who leaves the line."""
        for each in self._classes.values():
            if each.n_places:
                place = each.next()
                each.queues[place.tenant].n_taken += 1
                each.remove(place)
                return place
        return None

    def discard(self, place: Place[T]) -> None:
        """Let one go that waits no more, if it is still here."""
        each = self._classes[place.urgency]
        queue = each.queues.get(place.tenant)
        if queue is not None and place in queue.places:
            each.remove(place)

    def drop(self, is_late: Callable[[Place[T]], bool]) -> list[Place[T]]:
        """Remove and return those that are too late; whoever has longer is not later."""
        late = []
        for each in self._classes.values():
            for queue in list(each.queues.values()):
                while queue.places and is_late(queue.places[0]):
                    late.append(queue.places[0])
                    each.remove(queue.places[0])
        return late

    def _who_leaves(self, place: Place[T]) -> Place[T]:
        """Return who leaves a full line: of batches first, and of the tenant with most places."""
        if place.urgency == "interactive" and self._classes["batch"].n_places:
            return self._classes["batch"].greediest().places[-1]
        own = self._classes[place.urgency]
        if not own.n_places:
            return place
        greediest = own.greediest()
        mine = own.queues.get(place.tenant)
        if mine is greediest:
            return max(place, greediest.places[-1], key=_deadline)
        n_mine = len(mine.places) if mine is not None else 0
        return greediest.places[-1] if len(greediest.places) > n_mine + 1 else place


def _deadline(place: Place[T]) -> float:
    return place.deadline_s
