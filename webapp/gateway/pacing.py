"""Letting what agents send through at the rate that they are allowed: held a while, never lost."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from webapp.gateway.connection import Connection
from webapp.gateway.ingest.allowance import MOST_HOLD_S, Allowances, Hold
from webapp.gateway.ingest.delivery import Delivery
from webapp.gateway.ingest.waiting import class_of
from webapp.gateway.refusal import TRY_LATER

MAX_HELD_BYTES: Final = 128 * 2**20
"""Of all agents; beyond it an agent is asked to come back later, with what it keeps."""
SLOW_S: Final = 1.0
"""Who is held for so long is said to be slowed."""

Submit = Callable[[Connection, Delivery], None]


class Pacer:
    """Between the sockets and the writer, on the event loop."""

    def __init__(self, allowances: Allowances, submit: Submit) -> None:
        self._allowances = allowances
        self._submit = submit
        self._n_bytes = 0

    def pass_on(self, connection: Connection, delivery: Delivery) -> None:
        """Hand a delivery to the writer, now or when its agent's turn has come."""
        session = connection.session
        is_alerts = class_of(delivery) in {"alerts", "events"}
        hold = self._allowances.take(
            session.agent_id,
            session.organization_id,
            delivery.n_entries,
            is_alerts=is_alerts,
            at=delivery.received_at,
        )
        held = connection.held[is_alerts]
        if hold.seconds <= 0.0 and not held:
            self._submit(connection, delivery)
        else:
            self._hold(connection, held, delivery, hold)

    def drop(self, connection: Connection) -> None:
        """Forget what is held of a connection that has ended; its agent sends it again."""
        for held in connection.held.values():
            self._n_bytes -= sum(delivery.n_bytes for delivery in held)
            held.clear()

    def _hold(
        self, connection: Connection, held: deque[Delivery], delivery: Delivery, hold: Hold
    ) -> None:
        if self._n_bytes >= MAX_HELD_BYTES:
            connection.outbound.end(TRY_LATER)
            return
        if hold.seconds >= SLOW_S:
            connection.slowed_by = hold.limit
        held.append(delivery)
        self._n_bytes += delivery.n_bytes
        wait_s = min(hold.seconds, MOST_HOLD_S)
        asyncio.get_running_loop().call_later(wait_s, self._release, connection, held)

    def _release(self, connection: Connection, held: deque[Delivery]) -> None:
        """Hand over what waited longest; every timer stands for one delivery."""
        if held:
            delivery = held.popleft()
            self._n_bytes -= delivery.n_bytes
            self._submit(connection, delivery)
