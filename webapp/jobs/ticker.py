"""A worker's thread for periodic work: takes what is due, one after the other."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connections

from webapp.jobs.interruptions import CannotBeDone, MayPass, StopSign, Superseded, WorkerStops
from webapp.jobs.models import Schedule
from webapp.jobs.registry import Periodic
from webapp.jobs.ticks import (
    Tick,
    claim,
    declare,
    end_tick,
    forget_stale,
    is_due,
    keep_tick,
    release_tick,
)

LOOK_S: Final = 1.0
AWAY: Final = (OperationalError, InterfaceError)
"""What a database raises that is away, or too busy; it will be back."""

log = structlog.get_logger(__name__)


@dataclass
class Ticker:
    """Does periodic work when it is due. One turn at a time here, one of a kind anywhere."""

    periodic: Mapping[str, Periodic]
    clock: Callable[[], datetime]
    lease: timedelta
    stop_sign: StopSign
    current: Tick | None = field(default=None, init=False)
    """Read by the thread that keeps the lease."""

    def run(self) -> None:
        """Do what is due until the stop sign is up. A thread's target."""
        is_declared = False
        while not self.stop_sign.is_up:
            try:
                close_old_connections()
                if not is_declared:
                    self.declare_all()
                    is_declared = True
                if self.do_due():
                    continue
            except AWAY:  # the worker's main loop says so
                connections.close_all()
            self._rest()
        connections.close_all()

    def declare_all(self) -> None:
        """Write this worker's periodic work into the schedule."""
        at = self.clock()
        for work in self.periodic.values():
            declare(work.kind, title=work.title, period=work.period, at=at)
        forget_stale(at=at)

    def do_due(self) -> bool:
        """Do what is due, each once; return whether there was any."""
        due = Schedule.objects.filter(is_due(at=self.clock()), kind__in=self.periodic)
        n_done = 0
        for kind in list(due.order_by("next_at").values_list("kind", flat=True)):
            if self.stop_sign.is_up:
                break
            tick = claim(kind, lease=self.lease, clock=self.clock, stop_sign=self.stop_sign)
            if tick is not None:
                self._do(tick)
                n_done += 1
        return n_done > 0

    def keep(self) -> None:
        """Keep the lease of the turn under way. Called by another thread."""
        if (tick := self.current) is not None:
            keep_tick(tick, lease=self.lease)

    def _rest(self) -> None:
        until = time.monotonic() + LOOK_S
        while not self.stop_sign.is_up and time.monotonic() < until:
            time.sleep(0.05)

    def _do(self, tick: Tick) -> None:
        self.current = tick
        try:
            self._call(tick)
        finally:
            self.current = None

    def _call(self, tick: Tick) -> None:
        said = log.bind(kind=tick.kind, turn=tick.number)
        try:
            self.periodic[tick.kind].handler(tick)
        except WorkerStops:
            release_tick(tick)
        except Superseded:
            said.warning("tick.superseded")
        except (CannotBeDone, MayPass, *AWAY) as reason:
            said.warning("tick.failed", reason=str(reason))
            end_tick(tick, error=str(reason) or "The database was away.")
        except Exception:  # noqa: BLE001 - one broken task must not stop the others
            reference = secrets.token_hex(4)
            said.exception("tick.crashed", reference=reference)
            end_tick(tick, error=f"Something broke; its reference in the log is {reference}.")
        else:
            end_tick(tick)
