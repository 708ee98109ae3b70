"""Telling pages at once that something changed, instead of when they next ask the database.

A nudge says only whose pages should look; the table of changes says at what. It may get lost:
whoever waits for one looks from time to time anyway.
"""

import threading
from functools import cache
from typing import Final
from uuid import UUID

import redis
import structlog
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from webapp.common.broadcast import Topic, broadcast
from webapp.common.parcels import Channels, pack

NUDGES: Final = "changes"
"""The kind of their topics."""
_KEY: Final = "changed"
_MOST_WAITING: Final = 10_000
_TIMEOUT_S: Final = 2.0
_AWAY_S: Final = 5.0

log = structlog.get_logger(__name__)


def nudge(organization_id: UUID) -> None:
    """Tell an organization's pages to look, once the transaction at hand is committed."""
    transaction.on_commit(lambda: _nudge_now(organization_id))


def _nudge_now(organization_id: UUID) -> None:
    topic = (NUDGES, organization_id)
    is_told = broadcast.publish_from_thread(topic, _KEY, b"")
    if not is_told and settings.REDIS_URL:  # a worker: it has no browsers, and no loop
        _nudger().put(topic)


class Nudger:
    """Publishes nudges from a program without an event loop; never in its way."""

    def __init__(self, url: str, *, secret: str) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._channels = Channels(secret)
        self._waiting: set[Topic] = set()
        self._arrived = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.n_dropped = 0

    def put(self, topic: Topic) -> None:
        """Have a nudge published soon."""
        with self._lock:
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.add(topic)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="nudger", daemon=True)
                self._thread.start()
        self._arrived.set()

    def _run(self) -> None:
        is_lost = False
        while True:
            self._arrived.wait()
            self._arrived.clear()
            with self._lock:
                topics, self._waiting = self._waiting, set()
            try:
                self._publish(topics)
            except redis.RedisError as error:
                self.n_dropped += len(topics)
                if not is_lost:
                    log.warning("nudges.lost", reason=str(error).strip())
                is_lost = True
                threading.Event().wait(_AWAY_S)
            else:
                is_lost = False

    def _publish(self, topics: set[Topic]) -> None:
        data = pack(b"", _KEY, b"")
        pipeline = self._redis.pipeline(transaction=False)
        for topic in topics:
            pipeline.publish(self._channels.of(topic), data)
        pipeline.execute()


@cache
def _nudger() -> Nudger:
    return Nudger(settings.REDIS_URL, secret=settings.SECRET_KEY)
