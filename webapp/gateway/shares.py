"""What other web processes count of an organization, for the sum that its pages show."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import msgspec

from processing.wire.browser import Counters, encode
from webapp.common.alongside import Alongside
from webapp.common.broadcast import Broadcast, Mailbox, Payload, Topic

SHARES: Final = "share"
"""The kind of their topics."""
STALE: Final = timedelta(seconds=3)
"""A share comes twice a second; of a process that is silent for longer nothing is counted."""

_decode = msgspec.json.Decoder(Counters).decode


class Shares(Mailbox):
    """The newest share of each other process; lives on the event loop."""

    def __init__(self, broadcast: Broadcast) -> None:
        super().__init__()
        self._broadcast = broadcast
        self._process = uuid4().hex
        self._fresh: dict[tuple[UUID, str], Payload] = {}
        self._heard: dict[UUID, dict[str, tuple[datetime, Counters]]] = {}
        self.following = Alongside(broadcast, kind=SHARES, mailbox=self).following

    def put(self, key: str, payload: Payload) -> None:
        """Take in a share; `key` is of the form `organization:process`."""
        organization_id, _, process = key.partition(":")
        if process != self._process:
            self._fresh[UUID(organization_id), process] = payload

    def publish(self, organization_id: UUID, share: Counters) -> None:
        """Tell the others, if any shows that organization's pages, what this process counts."""
        key = f"{organization_id.hex}:{self._process}"
        self._broadcast.publish(_topic(organization_id), key, encode(share))

    def take_in(self, *, at: datetime) -> frozenset[UUID]:
        """Note what came since the last call; return whose shares are known."""
        for (organization_id, process), payload in self._fresh.items():
            share = _decode(payload)
            self._heard.setdefault(organization_id, {})[process] = (at, share)
        self._fresh = {}
        return frozenset(self._heard)

    def of(self, organization_id: UUID, *, at: datetime) -> list[Counters]:
        """Return the shares of other processes; where nobody listens any more, forget them."""
        if not self._broadcast.is_heard_here(_topic(organization_id)):
            self._heard.pop(organization_id, None)
        heard = self._heard.get(organization_id, {})
        for process in [each for each, (since, _) in heard.items() if at - since > STALE]:
            del heard[process]
        return [share for _, share in heard.values()]


def total(counters: Iterable[Counters]) -> Counters:
    """Return the sum of one or more, as of the newest."""
    each = list(counters)
    return Counters(
        at=max(one.at for one in each),
        results_per_s=round(sum(one.results_per_s for one in each), 1),
        n_results=sum(one.n_results for one in each),
        n_agents_online=sum(one.n_agents_online for one in each),
        n_cameras_online=sum(one.n_cameras_online for one in each),
    )


def _topic(organization_id: UUID) -> Topic:
    return SHARES, organization_id
