"""The one thread of a process that writes what agents send: many messages, one commit."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from webapp.common.metrics import COMMIT_SECONDS, DATABASE_ERRORS
from webapp.gateway.ingest.delivery import Delivery, Outcome
from webapp.gateway.ingest.directory import Directory
from webapp.gateway.ingest.group import commit_group
from webapp.gateway.ingest.waiting import Waiting
from webapp.gateway.refusal import Refusal
from webapp.gateway.reminders import Reminders

log = structlog.get_logger(__name__)

GROUP_ENTRIES: Final = 2_000
"""A group is committed when it has so many entries..."""
GROUP_BYTES: Final = 8 * 2**20
"""...or, of pictures, so many bytes..."""
PAUSE_S: Final = 0.004
"""...or when nothing more came for so long: agents that have sent all they may wait for us..."""
LINGER_S: Final = 0.024
"""...or this long after its first."""
MAX_WAITING_BYTES: Final = 256 * 2**20
"""Beyond this nothing is taken: agents are asked to come back later, with what they keep."""
_STOP_S: Final = 3.0
_RETRY_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)


class WriterFull(Exception):
    """Too much waits for its commit already."""


Commit = Callable[..., list[Outcome]]


class Writer:
    """Takes deliveries on the event loop, commits them in a thread, reports back on the loop.

    While the database is away the group at hand is tried again and nothing else is taken: agents
    get no acknowledgement and keep what they have.
    """

    def __init__(self, *, commit: Commit = commit_group) -> None:
        self._commit = commit
        self._waiting = Waiting()
        self._has_work = threading.Condition()
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._directory = Directory()
        self._reminders = Reminders()
        self._lost_at: float | None = None

    @property
    def n_waiting(self) -> int:
        """Return how many entries wait for their commit."""
        return self._waiting.n_entries

    def start(self) -> None:
        """Begin, on the running event loop."""
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, name="gateway-writer", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End after the group at hand; what still waits is not acknowledged and comes again."""
        self._stopping.set()
        with self._has_work:
            self._has_work.notify()
        if self._thread is not None:
            self._thread.join(_STOP_S)

    def submit(self, delivery: Delivery) -> None:
        """Hand over a delivery, or raise `WriterFull`."""
        with self._has_work:
            if self._waiting.n_bytes >= MAX_WAITING_BYTES:
                raise WriterFull
            is_first = self._waiting.n_entries == 0
            self._waiting.put(delivery)
            if is_first or self._is_group_full():
                self._has_work.notify()

    def _is_group_full(self) -> bool:
        return self._waiting.n_entries >= GROUP_ENTRIES or self._stopping.is_set()

    def _run(self) -> None:
        try:
            while (group := self._next_group()) is not None:
                outcomes = self._store(group)
                if outcomes is not None:
                    self._report(group, outcomes)
        finally:
            connection.close()

    def _next_group(self) -> list[Delivery] | None:
        """Wait for deliveries and take a group's worth; None when it is time to stop."""
        with self._has_work:
            self._has_work.wait_for(lambda: self._waiting.n_entries or self._stopping.is_set())
            self._linger()
            if self._stopping.is_set():
                return None
            return self._waiting.take(most_entries=GROUP_ENTRIES, most_bytes=GROUP_BYTES)

    def _linger(self) -> None:
        """Let a group grow while more of it comes: a large one costs each entry less."""
        latest = time.monotonic() + LINGER_S
        n_before = 0
        while self._waiting.n_entries > n_before and time.monotonic() < latest:
            n_before = self._waiting.n_entries
            if self._has_work.wait_for(self._is_group_full, timeout=PAUSE_S):
                return

    def _store(self, group: Sequence[Delivery]) -> list[Outcome] | None:
        """Commit a group, however long the database is away; None when told to stop meanwhile."""
        n_tries = 0
        while not self._stopping.is_set():
            try:
                with COMMIT_SECONDS.time():
                    outcomes = self._commit_or_split(group)
            except (OperationalError, InterfaceError) as error:
                self._lose_database(error)
                self._stopping.wait(_RETRY_S[min(n_tries, len(_RETRY_S) - 1)])
                n_tries += 1
            else:
                self._regain_database()
                return outcomes
        return None

    def _commit_or_split(self, group: Sequence[Delivery]) -> list[Outcome]:
        """Commit; where a delivery cannot be stored, find it, and let it harm no other."""
        try:
            return self._commit(group, directory=self._directory, reminders=self._reminders)
        except (OperationalError, InterfaceError):
            self._directory.forget_all()
            raise
        except Exception:  # what one agent sends must not stop the others
            self._directory.forget_all()
            if len(group) > 1:
                return [outcome for each in group for outcome in self._commit_or_split([each])]
            log.exception("ingest.unstorable", agent=str(group[0].session.agent_id))
            return [Refusal("malformed", "the hub could not store this; its log says why")]

    def _report(self, group: Sequence[Delivery], outcomes: Sequence[Outcome]) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(_settle, group, outcomes)
        except RuntimeError:  # the loop is closed: nobody waits any more
            self._stopping.set()

    def _lose_database(self, error: DatabaseError | InterfaceError) -> None:
        connection.close()
        DATABASE_ERRORS.labels("ingest").inc()
        if self._lost_at is None:
            self._lost_at = time.monotonic()
            log.warning("database.lost", reason=str(error).strip())

    def _regain_database(self) -> None:
        if self._lost_at is not None:
            log.info("database.back", down_s=round(time.monotonic() - self._lost_at, 1))
            self._lost_at = None


def _settle(group: Sequence[Delivery], outcomes: Sequence[Outcome]) -> None:
    for delivery, outcome in zip(group, outcomes, strict=True):
        delivery.done(outcome)
