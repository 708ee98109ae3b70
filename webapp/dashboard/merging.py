"""One mailbox from many, for whoever belongs to several organizations: their counters are added."""

import msgspec

from processing.wire.browser import Changed, Counters, encode
from webapp.common.broadcast import Mailbox, Payload, Topic

_decode = msgspec.json.Decoder(Counters | Changed).decode


class Merging:
    """Fills one mailbox from one a topic."""

    def __init__(self, into: Mailbox) -> None:
        self._into = into
        self._newest: dict[Topic, Counters] = {}

    async def pump(self, topic: Topic, mailbox: Mailbox) -> None:
        """Pass on what comes in of `topic`, for ever."""
        while True:
            for payload in await mailbox.take():
                self.add(topic, payload)

    def add(self, topic: Topic, payload: Payload) -> None:
        """Pass on one payload; what changed in two organizations at once is said once."""
        message = _decode(payload) if isinstance(payload, str) else None
        if isinstance(message, Counters):
            self._newest[topic] = message
            self._into.put("counters", encode(total(list(self._newest.values()))))
        else:
            self._into.put(payload, payload)


def total(counters: list[Counters]) -> Counters:
    """Return the sum of one or more, as of the newest."""
    return Counters(
        at=max(each.at for each in counters),
        results_per_s=sum(each.results_per_s for each in counters),
        n_results=sum(each.n_results for each in counters),
        n_agents_online=sum(each.n_agents_online for each in counters),
        n_cameras_online=sum(each.n_cameras_online for each in counters),
    )
