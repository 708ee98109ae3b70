"""All that a web process has for its agents, put together; it lives on the event loop."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
from django.db import DatabaseError, InterfaceError

from processing.wire.messages import (
    PROTOCOL,
    Challenge,
    ClipMissing,
    Hello,
    StateReport,
)
from webapp.common.broadcast import Broadcast, broadcast
from webapp.common.clock import now
from webapp.common.hub_identity import hub_id
from webapp.common.metrics import REFUSALS
from webapp.env import env
from webapp.fleet.models import SILENCE
from webapp.gateway.admissions import Admissions
from webapp.gateway.clips import Clips
from webapp.gateway.connection import Connection, Connections
from webapp.gateway.database import DatabaseThread
from webapp.gateway.departures import Departures
from webapp.gateway.handshake import Admission, Caller, Doorkeeper, is_told
from webapp.gateway.ingest.allowance import Allowances, Limits
from webapp.gateway.ingest.delivery import Delivery, LaneMessage, Outcome, Stored, last_seq
from webapp.gateway.ingest.figures import count_stored
from webapp.gateway.ingest.writer import Writer, WriterFull
from webapp.gateway.live import Live, Seen
from webapp.gateway.overflow import Overflow
from webapp.gateway.pacing import Pacer
from webapp.gateway.refusal import TRY_LATER, Refusal
from webapp.gateway.rivals import Rivals, tell_rivals
from webapp.gateway.slowness import Slowness
from webapp.gateway.tallies import Tallies
from webapp.gateway.upkeep import Upkeep

if TYPE_CHECKING:
    from uuid import UUID

log = structlog.get_logger(__name__)

NONCE_BYTES: Final = 32
_MAX_SEQ: Final = 2**63 - 1


class Gateway:
    """Lets agents in, passes on what they say, keeps them up to date."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = now,
        audience: Broadcast = broadcast,
        writer: Writer | None = None,
        usual: Limits | None = None,
    ) -> None:
        self.clock = clock
        self.connections = Connections()
        self.writer = writer or Writer()
        self._audience = audience
        self._database = DatabaseThread()
        self._doorkeeper = Doorkeeper()
        self._admissions = Admissions(self._database, self._doorkeeper)
        self._departures = Departures(self._database)
        self._rivals = Rivals()
        self._live = Live(self.connections, audience)
        self._clips = Clips(self.connections, self._database)
        self._overflow = Overflow(self.connections, self._database)
        self._tallies = Tallies(self.connections, audience)
        self._upkeep = Upkeep(self.connections, self._database)
        self._allowances = Allowances(usual or _usual_limits())
        self._pacer = Pacer(self._allowances, self._submit)
        self._slowness = Slowness(self.connections, self._allowances, self._database)
        self._hub_id: UUID | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._keeps_sessions = False
        self._on_stop = ExitStack()

    def start(self) -> None:
        """Begin, on the running event loop; again is nothing."""
        if self._tasks:
            return
        self.writer.start()
        self._on_stop.enter_context(self._audience.watched(self._live.audience_changed))
        self._on_stop.enter_context(self._tallies.following())
        intervals: tuple[tuple[float, Callable[[], Awaitable[None]]], ...] = (
            (0.5, self.publish_tallies),
            (1.0, self._upkeep.follow_fleet),
            (1.0, self.demand_clips),
            (1.0, self.flush_reports),
            (2.0, self.give_access),
            (5.0, self.renew_demands),
            (5.0, self.follow_limits),
            (SILENCE.total_seconds(), self.notice_silence),
        )
        self._tasks = [asyncio.create_task(_every(*interval)) for interval in intervals]

    def keep_sessions(self) -> None:
        """Leave open the session of whoever goes from now on: it is sent away, and comes again.

        The sweep of the process that is there then ends those of agents that do not.
        """
        self._keeps_sessions = True

    async def stop(self) -> None:
        """End; agents come again, and what was not acknowledged comes again with them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self._on_stop.close()
        self.writer.stop()
        self._database.stop()

    async def make_challenge(self) -> Challenge:
        if self._hub_id is None:
            self._hub_id = await self._database.call(hub_id)
        return Challenge(
            protocol=PROTOCOL,
            hub_id=self._hub_id,
            nonce=secrets.token_bytes(NONCE_BYTES),
            server_at=self.clock(),
        )

    async def admit(self, hello: Hello, challenge: Challenge) -> Admission:
        """Begin a session, or raise a `Refusal`."""
        return await self._admissions.admit(Caller(hello, challenge, self.clock()))

    async def join(self, connection: Connection) -> None:
        """Take a connection in; one that the agent had before is closed."""
        session, at = connection.session, self.clock()
        superseded = self.connections.add(connection)
        self._live.renew(connection)
        log.info("agent.connected", agent=str(session.agent_id))
        if superseded is None:
            return
        superseded.outbound.end(Refusal("superseded", "another connection of this agent is newer"))
        is_other_run = superseded.session.boot_id != session.boot_id
        if is_other_run and self._rivals.took(session.agent_id, at=at):
            log.warning("agent.twice", agent=str(session.agent_id))
            with suppress(DatabaseError, InterfaceError):
                await self._database.call(tell_rivals, session.agent_id, at=at)

    async def leave(self, connection: Connection, refusal: Refusal | None) -> None:
        """Note that a connection has ended, and why."""
        self.connections.remove(connection)
        self._pacer.drop(connection)
        session = connection.session
        log.info(
            "agent.disconnected",
            agent=str(session.agent_id),
            reason=refusal.code if refusal else "closed",
        )
        if refusal is not None:
            REFUSALS.labels(refusal.code).inc()
            if is_told(refusal):
                with suppress(DatabaseError, InterfaceError):
                    await self._database.call(
                        self._doorkeeper.tell_refused, session.agent_id, refusal, at=self.clock()
                    )
        if not self._keeps_sessions:
            await self._departures.end(session, at=self.clock())

    def deliver(self, connection: Connection, message: LaneMessage, *, n_bytes: int) -> None:
        """Have entries stored; they are acknowledged once they are committed."""
        session = connection.session
        if message.epoch != session.epoch:
            raise Refusal("malformed", f"epoch {message.epoch} in a session of {session.epoch}")
        if not message.first_seq <= last_seq(message) <= _MAX_SEQ:
            raise Refusal("malformed", "an impossible range of numbers")
        connection.take_credit()
        at = self.clock()
        settle = partial(self._settle, connection, message, at)
        self._pacer.pass_on(connection, Delivery(session, message, at, n_bytes, settle))

    def report(self, connection: Connection, report: StateReport, *, n_bytes: int) -> None:
        """Have the agent's state written down."""
        connection.reports.put(report, n_bytes=n_bytes)
        self._flush_report(connection)

    def miss_clip(self, connection: Connection, missing: ClipMissing, *, n_bytes: int) -> None:
        """Have it written down that a clip will not come."""
        connection.take_credit()
        at = self.clock()
        settle = partial(self._settle, connection, missing, at)
        delivery = Delivery(connection.session, missing, at, n_bytes, settle)
        self._submit(connection, delivery)

    def show(self, connection: Connection, seen: Seen) -> None:
        self._live.show(connection, seen)

    def _settle(
        self,
        connection: Connection,
        message: LaneMessage | ClipMissing,
        received_at: datetime,
        outcome: Outcome,
    ) -> None:
        connection.give_credit()
        match outcome:
            case Refusal():
                connection.outbound.end(outcome)
            case Stored(ack, n_results):
                if ack is not None:
                    connection.outbound.ack(ack)
                at = self.clock()
                self._tallies.add(connection.session.organization_id, n_results, at=at)
                count_stored(message, n_results, received_at=received_at, at=at)

    def _submit(self, connection: Connection, delivery: Delivery) -> None:
        try:
            self.writer.submit(delivery)
        except WriterFull:
            connection.outbound.end(TRY_LATER)

    def _flush_report(self, connection: Connection) -> None:
        at = self.clock()
        reports = connection.reports
        if (report := reports.take(at=at)) is not None:
            settle = partial(_settle_report, connection)
            delivery = Delivery(connection.session, report, at, reports.n_bytes, settle)
            self._submit(connection, delivery)

    async def flush_reports(self) -> None:
        for connection in self.connections:
            self._flush_report(connection)

    async def publish_tallies(self) -> None:
        self._tallies.publish(at=self.clock())

    async def follow_limits(self) -> None:
        await self._slowness.follow(at=self.clock())

    async def renew_demands(self) -> None:
        for connection in self.connections:
            self._live.renew(connection)

    async def demand_clips(self) -> None:
        await self._clips.follow(at=self.clock())

    async def give_access(self) -> None:
        await self._overflow.follow(at=self.clock())

    async def notice_silence(self) -> None:
        """Close what is silent here, and end the sessions of processes that died."""
        at = self.clock()
        self._upkeep.close_silent(at=at)
        await self._upkeep.sweep(at=at)


def _usual_limits() -> Limits:
    return Limits(env().most_agent_results_per_s, env().most_organization_results_per_s)


def _settle_report(connection: Connection, outcome: Outcome) -> None:
    connection.reports.settle()
    if isinstance(outcome, Refusal):
        connection.outbound.end(outcome)


async def _every(interval_s: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` at intervals; while the database is away, try again."""
    is_failing = False
    while True:
        await asyncio.sleep(interval_s)
        try:
            await work()
        except (DatabaseError, InterfaceError) as error:
            if not is_failing:
                log.warning("upkeep.failing", work=work.__name__, reason=str(error).strip())
            is_failing = True
        else:
            is_failing = False


gateway = Gateway()
"""This web process's."""
