"""Periodic work of the hub: when it is done, by whom, and what becomes of failures."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from tests.factories import Clock
from webapp.jobs.backoff import LONGEST, pause_after
from webapp.jobs.interruptions import MayPass, StopSign, Superseded, WorkerStops
from webapp.jobs.models import Schedule
from webapp.jobs.registry import PERIODIC, Periodic, TickHandler, every
from webapp.jobs.ticker import Ticker
from webapp.jobs.ticks import Tick, declare, forget_stale

HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=20)


def ticker(handler: TickHandler, clock: Clock, *, stop_sign: StopSign | None = None) -> Ticker:
    """A worker's ticker that knows one thing to do each hour."""
    work = Periodic("test.sweep", HOUR, handler)
    made = Ticker({work.kind: work}, clock.now, LEASE, stop_sign or StopSign())
    made.declare_all()
    return made


def counted(calls: list[int]) -> TickHandler:
    def sweep(tick: Tick) -> None:
        """Sweep the floor."""
        calls.append(tick.number)

    return sweep


def row() -> Schedule:
    return Schedule.objects.get(kind="test.sweep")


@pytest.mark.django_db
def test_it_works(clock: Clock) -> None:
    calls: list[int] = []
    worker = ticker(counted(calls), clock)
    assert worker.do_due()
    assert not worker.do_due()
    clock.advance(hours=1)
    assert worker.do_due()
    assert calls == [1, 2]
    assert (row().title, row().ended_at, row().error) == ("Sweep the floor", clock.now(), "")


@pytest.mark.django_db
def test_times_missed_while_no_worker_ran_are_made_up_for_once(clock: Clock) -> None:
    calls: list[int] = []
    ticker(counted(calls), clock).do_due()
    clock.advance(hours=30)
    again = ticker(counted(calls), clock)
    assert (again.do_due(), again.do_due()) == (True, False)
    assert calls == [1, 2]
    assert row().next_at == clock.now() + HOUR


@pytest.mark.django_db
def test_a_late_turn_does_not_shift_the_beat(clock: Clock) -> None:
    worker = ticker(counted([]), clock)
    worker.do_due()
    due_at = row().next_at
    clock.advance(minutes=75)
    worker.do_due()
    assert row().next_at == due_at + HOUR


@pytest.mark.django_db
def test_a_worker_that_starts_often_does_not_do_it_more_often(clock: Clock) -> None:
    calls: list[int] = []
    for _ in range(3):
        ticker(counted(calls), clock).do_due()
        clock.advance(minutes=10)
    assert calls == [1]


@pytest.mark.django_db
def test_while_it_runs_no_other_worker_begins_it(clock: Clock) -> None:
    calls: list[int] = []
    other = ticker(counted(calls), clock)

    def slow(tick: Tick) -> None:
        clock.advance(seconds=15)
        tick.step(1, 2)
        assert not other.do_due()

    ticker(slow, clock).do_due()
    assert calls == []


@pytest.mark.django_db
def test_a_turn_whose_worker_died_is_taken_over_and_may_not_write(clock: Clock) -> None:
    calls: list[int] = []
    other = ticker(counted(calls), clock)

    def freezes(tick: Tick) -> None:
        clock.advance(seconds=21)
        assert other.do_due()
        with pytest.raises(Superseded):
            tick.step()

    ticker(freezes, clock).do_due()
    assert calls == [3]  # 1 froze, 2 was counted as lost
    assert row().ended_at == clock.now()


@pytest.mark.django_db
def test_what_kills_every_worker_is_tried_ever_more_seldom(clock: Clock) -> None:
    worker = ticker(counted([]), clock)
    for n_failures in (1, 2, 3):
        Schedule.objects.update(lease_expires_at=clock.now(), next_at=clock.now())
        Schedule.objects.update(n_failures=n_failures)
        clock.advance(seconds=1)
        worker.do_due()
        assert row().next_at > clock.now()
        assert row().error == "Its worker stopped in the middle."


@pytest.mark.django_db
def test_a_failure_is_tried_again_sooner_and_the_reason_stays_until_then(clock: Clock) -> None:
    def fails(tick: Tick) -> None:
        raise MayPass("The disk has no room.")

    ticker(fails, clock).do_due()
    assert (row().error, row().n_failures) == ("The disk has no room.", 1)
    assert row().next_at <= clock.now() + timedelta(seconds=5)
    clock.advance(seconds=6)
    ticker(counted([]), clock).do_due()
    assert (row().error, row().n_failures) == ("", 0)


@pytest.mark.django_db
def test_a_crash_leaves_only_a_reference_and_the_others_go_on(clock: Clock) -> None:
    def crashes(tick: Tick) -> None:
        raise ZeroDivisionError("secret detail")

    assert ticker(crashes, clock).do_due()
    assert "reference" in row().error
    assert "secret" not in row().error


@pytest.mark.django_db
def test_a_worker_told_to_stop_leaves_the_turn_to_the_next(clock: Clock) -> None:
    stop_sign, calls = StopSign(), list[int]()

    def stopped(tick: Tick) -> None:
        stop_sign.is_up = True
        with pytest.raises(WorkerStops):
            tick.step()
        raise WorkerStops

    ticker(stopped, clock, stop_sign=stop_sign).do_due()
    assert ticker(counted(calls), clock).do_due()
    assert calls == [2]


@pytest.mark.django_db
def test_a_shorter_period_counts_at_once(clock: Clock) -> None:
    ticker(counted([]), clock).do_due()
    declare("test.sweep", title="Sweep", period=timedelta(minutes=1), at=clock.now())
    assert row().next_at == clock.now() + timedelta(minutes=1)


@pytest.mark.django_db
def test_work_that_is_no_more_leaves_the_schedule(clock: Clock) -> None:
    ticker(counted([]), clock)
    clock.advance(days=8)
    forget_stale(at=clock.now())
    assert not Schedule.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_that_come_at_once_one_does_it(clock: Clock) -> None:
    calls: list[int] = []
    workers = [ticker(counted(calls), clock) for _ in range(6)]
    start = threading.Barrier(len(workers))

    def come(worker: Ticker) -> Callable[[], None]:
        def at_once() -> None:
            start.wait()
            try:
                worker.do_due()
            finally:
                connection.close()

        return at_once

    threads = [threading.Thread(target=come(worker)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]


@pytest.mark.parametrize(
    ("n_failures", "shortest_s", "longest_s"),
    [(1, 2.5, 5), (2, 5, 10), (5, 40, 80), (50, 300, LONGEST.total_seconds())],
)
def test_a_pause_doubles_up_to_a_limit_and_is_never_quite_the_same(
    n_failures: int, shortest_s: float, longest_s: float
) -> None:
    assert pause_after(n_failures, chance=lambda: 0.0).total_seconds() == shortest_s
    assert pause_after(n_failures, chance=lambda: 1.0).total_seconds() == longest_s
    assert len({pause_after(n_failures) for _ in range(8)}) > 1


def test_two_tasks_of_one_name_are_refused() -> None:
    every(HOUR, kind="test.twice")(counted([]))
    try:
        with pytest.raises(ValueError, match=r"two periodic tasks are 'test.twice'"):
            every(HOUR, kind="test.twice")(counted([]))
    finally:
        del PERIODIC["test.twice"]
