"""The events that run, on disk: whoever finds them there at its start knows that they have ended.

An agent that is killed in the middle of an event can say no more of it, and what it knew is gone:
without this the event would run for ever, and a clip that was finished at that moment would never
be heard of. The file is not forced to the disk, so a power cut may lose what it said last.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
import structlog
from msgspec.structs import replace

from edge_agent.backlog import Entry
from processing.wire.limits import MAX_TEXT
from processing.wire.messages import ClipMade, EventRaised

_OVER: Final = 32
"""Events that are over and stay in the file: their ends may not be in the outbox's yet, and their
clips are finished after them."""
_LAST: Final = frozenset({"end", "once"})
_CUT_OFF: Final = "The agent stopped unexpectedly; how this ended is not known. "

log = structlog.get_logger()


class RunningEvents:
    """Stands between cameras and the outbox. Any thread may append."""

    def __init__(
        self,
        path: Path,
        *,
        append: Callable[[Entry], None],
        clip_of: Callable[[UUID], ClipMade | None],
    ) -> None:
        """Pass on at once the ends of what ran when the last agent was killed, with their clips."""
        self._path: Final = path
        self._append: Final = append
        self._lock = threading.Lock()
        self._running: dict[UUID, EventRaised] = {}
        self._over: OrderedDict[UUID, EventRaised] = OrderedDict()
        self._is_failing = False
        for word in _read(path):
            if word.event_id:
                clip = word.clip or clip_of(word.event_id)
                self._over[word.event_id] = replace(_end_of(word), clip=clip)
        for word in self._over.values():
            append(word)

    def append(self, entry: Entry) -> None:
        """Pass an entry on; a word of an event is written down before."""
        if isinstance(entry, EventRaised) and entry.event_id:
            with self._lock:
                self._note(entry.event_id, entry)
        self._append(entry)

    def all_stored(self) -> None:
        """Forget what is over: all that was passed on is stored."""
        with self._lock:
            self._over.clear()
            self._write()

    def _note(self, event_id: UUID, word: EventRaised) -> None:
        if word.phase in _LAST:
            self._running.pop(event_id, None)
            self._over[event_id] = word
            while len(self._over) > _OVER:
                self._over.popitem(last=False)
        elif event_id not in self._over:
            self._running[event_id] = word
        self._write()

    def _write(self) -> None:
        words = (*self._running.values(), *self._over.values())
        part = self._path.with_suffix(".part")
        try:
            part.write_bytes(msgspec.msgpack.encode(words))
            part.replace(self._path)
        except OSError as error:
            if not self._is_failing:
                log.warning("running_events.not_kept", reason=str(error))
            self._is_failing = True
        else:
            self._is_failing = False


def _end_of(word: EventRaised) -> EventRaised:
    """Return the last word of an event: its own, said again, or one that says it was cut off."""
    if word.phase in _LAST:
        return word
    return replace(word, phase="end", detail=(_CUT_OFF + word.detail)[:MAX_TEXT])


def _read(path: Path) -> tuple[EventRaised, ...]:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=tuple[EventRaised, ...])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        log.warning("running_events.unreadable", reason=str(error))
        return ()
