"""An event that ran when the agent was killed is over once the next one has begun, clip and all."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from edge_agent.backlog import Entry
from edge_agent.running_events import RunningEvents
from processing.wire.limits import MAX_TEXT
from processing.wire.messages import ClipMade, EventRaised

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
START = EventRaised(
    kind="in_zone",
    occurred_at=NOON,
    title="Person in the yard",
    detail="A person has been in the yard",
    severity="warning",
    phase="start",
    event_id=UUID(int=1),
    started_at=NOON,
    labels=("person",),
    tracks=(7,),
)
END = replace(START, phase="end", occurred_at=NOON + timedelta(minutes=1), detail="A person was")
CLIP = ClipMade(clip_id=UUID(int=1), begins_at=NOON, seconds=9.5, n_bytes=77)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "running.msgpack"


def no_clip(event_id: UUID) -> None:
    """Know of no clip."""


def said_at_start(path: Path, clip_of: Callable[[UUID], ClipMade | None] = no_clip) -> list[Entry]:
    """Return what an agent passes on when it finds this file, and these clips on its shelf."""
    said: list[Entry] = []
    RunningEvents(path, append=said.append, clip_of=clip_of)
    return said


def lived(path: Path, *words: EventRaised) -> RunningEvents:
    """Return an agent's events after these words; it may be killed now."""
    said: list[Entry] = []
    events = RunningEvents(path, append=said.append, clip_of=no_clip)
    for word in words:
        events.append(word)
    return events


def test_what_ran_when_the_agent_was_killed_is_ended_at_the_next_start(path: Path) -> None:
    lived(path, START)
    (word,) = said_at_start(path)
    assert isinstance(word, EventRaised)
    assert replace(word, phase="start", detail=START.detail) == START
    assert word.phase == "end"
    assert "stopped unexpectedly" in word.detail


def test_it_is_ended_after_a_kill_that_nobody_could_foresee(path: Path) -> None:
    program = (
        "import os, pathlib, sys\n"
        "from edge_agent.running_events import RunningEvents\n"
        "from tests.edge_agent.test_running_events import START, no_clip\n"
        "events = RunningEvents(pathlib.Path(sys.argv[1]), append=[].append, clip_of=no_clip)\n"
        "events.append(START)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert killed.returncode == -9
    assert [word.event_id for word in said_at_start(path) if isinstance(word, EventRaised)] == [
        START.event_id
    ]


def test_an_agent_that_is_killed_at_once_again_leaves_the_same_to_the_next(path: Path) -> None:
    lived(path, *(replace(START, event_id=UUID(int=n)) for n in (1, 2, 3)))
    assert len(said_at_start(path)) == 3
    assert said_at_start(path) == said_at_start(path)


def test_its_last_word_counts(path: Path) -> None:
    later = replace(START, phase="update", occurred_at=NOON + timedelta(seconds=9), tracks=(7, 8))
    lived(path, START, later)
    (word,) = said_at_start(path)
    assert isinstance(word, EventRaised)
    assert (word.occurred_at, word.tracks) == (later.occurred_at, (7, 8))


def test_an_end_that_may_not_be_stored_yet_is_said_again_word_for_word(path: Path) -> None:
    lived(path, START, END)
    assert said_at_start(path) == [END]


def test_after_an_orderly_stop_nothing_is_said(path: Path) -> None:
    lived(path, START, END).all_stored()
    assert said_at_start(path) == []


def test_an_event_that_nobody_ended_outlasts_an_orderly_stop(path: Path) -> None:
    lived(path, START).all_stored()
    assert len(said_at_start(path)) == 1


def test_an_update_that_comes_after_the_end_does_not_bring_the_event_back(path: Path) -> None:
    lived(path, START, END, replace(START, phase="update"))
    assert said_at_start(path) == [END]


def test_the_file_does_not_grow_with_the_events(path: Path) -> None:
    words = [replace(word, event_id=UUID(int=n)) for n in range(1, 100) for word in (START, END)]
    lived(path, *words)
    assert said_at_start(path) == words[-63::2]


def test_all_is_passed_on_in_its_order(path: Path) -> None:
    said: list[Entry] = []
    events = RunningEvents(path, append=said.append, clip_of=no_clip)
    told = [START, replace(START, phase="once", event_id=UUID(int=2)), END]
    for word in told:
        events.append(word)
    assert said == told


@pytest.mark.parametrize("words", [(START,), (START, END), (replace(START, phase="once"),)])
def test_a_clip_that_was_finished_at_the_kill_is_told_at_the_next_start(
    path: Path, words: tuple[EventRaised, ...]
) -> None:
    lived(path, *words)
    (word,) = said_at_start(path, {START.event_id: CLIP}.get)
    assert isinstance(word, EventRaised)
    assert word.clip == CLIP
    assert (word.event_id, word.phase) == (
        START.event_id,
        "once" if words[0].phase == "once" else "end",
    )


def test_a_clip_that_was_told_is_told_again_even_if_it_is_gone(path: Path) -> None:
    lived(path, START, replace(END, clip=CLIP))
    assert said_at_start(path) == [replace(END, clip=CLIP)]


def test_a_long_reason_stays_within_what_a_message_may_hold(path: Path) -> None:
    lived(path, replace(START, detail="x" * MAX_TEXT))
    (word,) = said_at_start(path)
    assert isinstance(word, EventRaised)
    assert len(word.detail) == MAX_TEXT


def test_a_file_that_cannot_be_read_is_no_reason_not_to_start(path: Path) -> None:
    path.write_bytes(b"\xc1 not ours")
    assert said_at_start(path) == []


def test_a_disk_that_takes_nothing_does_not_stop_the_words(tmp_path: Path) -> None:
    said: list[Entry] = []
    events = RunningEvents(
        tmp_path / "no such folder" / "running.msgpack", append=said.append, clip_of=no_clip
    )
    events.append(START)
    assert said == [START]
