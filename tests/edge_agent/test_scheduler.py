"""A greedy camera takes what others leave, and not a turn of theirs."""

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from edge_agent.scheduler import Scheduler
from tests.edge_agent.entries import wait_until


class Engine:
    """Has room for one frame, and is asked by several cameras; written by the scheduler alone."""

    def __init__(self) -> None:
        self._room = threading.Semaphore(0)
        self.shown: list[str] = []

    def free(self) -> None:
        self._room.release()

    def has_shown(self, n: int) -> bool:
        return len(self.shown) >= n

    def show(self, camera: str) -> bool:
        if not self._room.acquire(blocking=False):
            return False
        self.shown.append(camera)
        return True


class Camera:
    """A `Turn`: `n_waiting` frames wait, one after the other."""

    def __init__(self, name: str, engine: Engine, *, n_waiting: int = 0) -> None:
        self._name = name
        self._engine = engine
        self.n_waiting = n_waiting

    def use(self) -> bool | None:
        if not self.n_waiting:
            return None
        is_taken = self._engine.show(self._name)
        self.n_waiting -= is_taken
        return is_taken


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    scheduler = Scheduler()
    yield scheduler
    scheduler.close()


def go_on(engine: Engine, scheduler: Scheduler, *, n: int) -> None:
    """Let the engine be free n times, one after the other."""
    for _ in range(n):
        n_expected = len(engine.shown) + 1
        engine.free()
        scheduler.wake()
        wait_until(partial(engine.has_shown, n_expected))


def test_who_always_has_a_frame_gets_no_more_turns_than_who_has_too(
    engine: Engine, scheduler: Scheduler
) -> None:
    for name in ("a", "b", "c"):
        scheduler.add(Camera(name, engine, n_waiting=1000))
    go_on(engine, scheduler, n=30)
    # Round and round: no camera comes twice before each other has come.
    for first in range(0, 30, 3):
        assert sorted(engine.shown[first : first + 3]) == ["a", "b", "c"]


def test_a_rare_frame_waits_for_one_frame_of_the_greedy_camera_at_the_most(
    engine: Engine, scheduler: Scheduler
) -> None:
    greedy = Camera("greedy", engine, n_waiting=10_000)
    rare = [Camera(f"rare {n}", engine) for n in range(3)]
    for camera in (greedy, *rare):
        scheduler.add(camera)
    go_on(engine, scheduler, n=7)
    for camera in rare * 3:
        camera.n_waiting = 1
        n_before = len(engine.shown)
        go_on(engine, scheduler, n=2)
        assert camera._name in engine.shown[n_before:]
    assert engine.shown.count("greedy") == 7 + 9


def test_a_camera_that_found_the_engine_busy_is_the_next(
    engine: Engine, scheduler: Scheduler
) -> None:
    first, second = Camera("first", engine, n_waiting=1), Camera("second", engine)
    scheduler.add(first)
    scheduler.add(second)
    scheduler.wake()
    second.n_waiting = 1
    go_on(engine, scheduler, n=2)
    assert engine.shown == ["first", "second"]


def test_who_is_removed_gets_no_turn(engine: Engine, scheduler: Scheduler) -> None:
    gone, here = Camera("gone", engine, n_waiting=9), Camera("here", engine, n_waiting=9)
    scheduler.add(gone)
    scheduler.add(here)
    scheduler.remove(gone)
    go_on(engine, scheduler, n=9)
    assert engine.shown == ["here"] * 9


def test_a_frame_that_is_offered_while_the_engine_is_busy_waits_for_it(
    engine: Engine, scheduler: Scheduler
) -> None:
    camera = Camera("camera", engine, n_waiting=1)
    scheduler.add(camera)
    scheduler.offer()
    wait_until(lambda: scheduler._is_busy)
    for _ in range(100):
        scheduler.offer()
    engine.free()
    scheduler.wake()
    wait_until(partial(engine.has_shown, 1))
    camera.n_waiting = 1
    engine.free()
    scheduler.offer()
    wait_until(partial(engine.has_shown, 2))
