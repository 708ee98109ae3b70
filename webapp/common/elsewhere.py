"""What the hub's other web processes listen to, as they said last."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from webapp.common.broadcast import Topic

LAPSES_S: Final = 15.0
"""Who says nothing for so long has died; everybody says what it listens to every 5 s."""


class Elsewhere:
    """Other processes and their topics; lives on the event loop, `at` is in seconds."""

    def __init__(self) -> None:
        self._topics: dict[bytes, set[Topic]] = {}
        self._heard_at: dict[bytes, float] = {}
        self._n_listening: Counter[Topic] = Counter()

    def __contains__(self, topic: Topic) -> bool:
        return topic in self._n_listening

    def is_all(self, process: bytes, topics: Iterable[Topic], *, at: float) -> set[Topic]:
        """Take in all that a process listens to; return what it began or ceased to."""
        self._heard_at[process] = at
        before, now = self._topics.get(process, set()), set(topics)
        return self._join(process, now - before) | self._leave(process, before - now)

    def joins(self, process: bytes, topics: Iterable[Topic], *, at: float) -> set[Topic]:
        """Take in what a process listens to besides; return what is new."""
        self._heard_at[process] = at
        return self._join(process, set(topics) - self._topics.get(process, set()))

    def leaves(self, process: bytes, topics: Iterable[Topic], *, at: float) -> set[Topic]:
        """Take in what a process listens to no more; return what it did."""
        self._heard_at[process] = at
        return self._leave(process, set(topics) & self._topics.get(process, set()))

    def lapse(self, *, at: float) -> set[Topic]:
        """Forget who has been silent for too long; return what it listened to."""
        silent = [process for process, heard in self._heard_at.items() if at - heard > LAPSES_S]
        return {topic for process in silent for topic in self._forget(process)}

    def forget_all(self) -> set[Topic]:
        """Forget everybody; return what they listened to."""
        return {topic for process in tuple(self._heard_at) for topic in self._forget(process)}

    def _join(self, process: bytes, topics: set[Topic]) -> set[Topic]:
        self._topics.setdefault(process, set()).update(topics)
        self._n_listening.update(topics)
        return topics

    def _leave(self, process: bytes, topics: set[Topic]) -> set[Topic]:
        self._topics[process] -= topics
        for topic in topics:
            self._n_listening[topic] -= 1
            if not self._n_listening[topic]:
                del self._n_listening[topic]
        return topics

    def _forget(self, process: bytes) -> set[Topic]:
        left = self._leave(process, set(self._topics[process]))
        del self._topics[process], self._heard_at[process]
        return left
