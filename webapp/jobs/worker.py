"""The worker process: takes deliveries one by one, keeps its leases, mends what others left.

The only place that loads `webapp.*.tasks`.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import close_old_connections, connections
from django.utils.module_loading import autodiscover_modules
from django_tasks_db.management.commands.db_worker import Worker as TaskRunner
from django_tasks_db.models import DBTaskResult
from django_tasks_db.utils import exclusive_transaction

from webapp.common.changes import forget_changes
from webapp.common.ids import uuid7
from webapp.jobs.actions import forget_finished, sweep_jobs
from webapp.jobs.attempts import extend_lease, hand_back
from webapp.jobs.delivery import install_runner
from webapp.jobs.interruptions import StopSign
from webapp.jobs.models import Worker
from webapp.jobs.registry import HANDLERS, PERIODIC
from webapp.jobs.running import JobRunner
from webapp.jobs.ticker import AWAY, Ticker
from webapp.jobs.ticks import release_tick

LEASE: Final = timedelta(seconds=20)
POLL_S: Final = 0.25
STOP_S: Final = 1.8
"""A job that takes no step for so long after a stop signal is left to the next worker."""
HOUSEKEEPING: Final = timedelta(minutes=5)

log = structlog.get_logger(__name__)


def load_tasks() -> None:
    """Import every app's `tasks`, which register what they do."""
    autodiscover_modules("tasks")


class JobWorker:
    """One worker process; `run` returns after `stop`, or when the queue is empty (`until_idle`)."""

    def __init__(self, *, clock: Callable[[], datetime], lease: timedelta = LEASE) -> None:
        self._clock = clock
        self._lease = lease
        self._stop_sign = StopSign()
        self._runner = JobRunner(
            handlers=HANDLERS, clock=clock, lease=lease, stop_sign=self._stop_sign
        )
        self._ticker = Ticker(PERIODIC, clock, lease, self._stop_sign)
        self._id = uuid7()
        self._is_database_away = False
        self._taker = TaskRunner(
            queue_names=["*"],
            interval=POLL_S,
            batch=False,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=str(self._id),
            excluded_queue_names=[],
        )

    def stop(self, *_signal: object) -> None:
        """Ask the worker to stop; safe inside a signal handler."""
        self._stop_sign.is_up = True

    def run(self, *, until_idle: bool = False) -> None:
        load_tasks()
        install_runner(self._runner.run)
        keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        ticker = threading.Thread(target=self._ticker.run, name="ticker", daemon=True)
        keeper.start()
        if until_idle:
            self._ticker.declare_all()
        else:  # a long job must not hold up what is done every minute
            ticker.start()
        log.info("worker.ready", kinds=sorted(HANDLERS), periodic=sorted(PERIODIC))
        while not self._stop_sign.is_up:
            if not keeper.is_alive() or not (until_idle or ticker.is_alive()):
                raise RuntimeError("a thread of the worker has died; see the log above")
            close_old_connections()
            if self._take_one():
                continue
            if until_idle and not self._ticker.do_due():
                break
            time.sleep(POLL_S)
        self.stop()
        keeper.join(2 * STOP_S)
        log.info("worker.stopped")

    def _take_one(self) -> bool:
        """Do one delivery; return whether there was any."""
        ready = DBTaskResult.objects.ready()
        try:
            if not ready.exists():  # a read: an idle worker takes no write lock
                self._say_database(None)
                return False
            with exclusive_transaction():
                delivery = ready.get_locked()
                if delivery is None:
                    return False
                delivery.claim(str(self._id))
        except AWAY as error:
            self._say_database(error)
            return False
        self._say_database(None)
        self._taker.run_task(delivery)
        return True

    def _say_database(self, error: Exception | None) -> None:
        """Log when the database goes away and when it is back, once each."""
        if error is not None and not self._is_database_away:
            log.warning("worker.database_lost", reason=str(error))
        if error is None and self._is_database_away:
            log.info("worker.database_back")
        self._is_database_away = error is not None

    def _keep(self) -> None:
        """Run beside the jobs: say that we live, keep the lease, sweep; force a late stop."""
        cleaned_at: datetime | None = None
        pause_s = 0.0
        while not self._waited_for_stop(pause_s):
            pause_s = self._lease.total_seconds() / 5
            try:
                at = self._clock()
                self._beat(at)
                if cleaned_at is None or at - cleaned_at >= HOUSEKEEPING:
                    cleaned_at = at
                    forget_finished(at=at)
                    forget_changes(at=at)
            except AWAY:  # the main loop says so; the lease outlasts a short absence
                connections.close_all()
        self._leave()

    def _beat(self, at: datetime) -> None:
        Worker.objects.update_or_create(
            pk=self._id, defaults={"seen_at": at}, create_defaults={"started_at": at, "seen_at": at}
        )
        if (attempt := self._runner.current) is not None:
            extend_lease(attempt, lease=self._lease)
        self._ticker.keep()
        sweep_jobs(at=at)

    def _waited_for_stop(self, seconds: float) -> bool:
        """Wait; return early with True when the worker is to stop."""
        until = time.monotonic() + seconds
        while not self._stop_sign.is_up and time.monotonic() < until:
            time.sleep(0.05)
        return self._stop_sign.is_up

    def _is_busy(self) -> bool:
        return self._runner.current is not None or self._ticker.current is not None

    def _leave(self) -> None:
        until = time.monotonic() + STOP_S
        while self._is_busy() and time.monotonic() < until:
            time.sleep(0.05)
        if self._is_busy():
            # The work may hold the database's lock; its lease will run out all the same.
            threading.Timer(STOP_S / 3, os._exit, (0,)).start()
            if (attempt := self._runner.current) is not None:
                log.warning("worker.left_job", job_id=str(attempt.job_id), kind=attempt.kind)
                hand_back(attempt)
            if (tick := self._ticker.current) is not None:
                log.warning("worker.left_tick", kind=tick.kind)
                release_tick(tick)
            os._exit(0)
        with suppress(*AWAY):
            Worker.objects.filter(pk=self._id).delete()
        connections.close_all()


def stop_on_signals(worker: JobWorker) -> None:
    """Let SIGTERM and SIGINT stop the worker."""
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
