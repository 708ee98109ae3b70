"""One mailbox from many, for whoever belongs to several organizations: their counters are added."""

import msgspec

from processing.wire.browser import Changed, Counters, encode
from webapp.common.broadcast import Mailbox, Payload, Topic
from webapp.gateway.shares import total

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
            self._into.put(payload if isinstance(payload, str) else "", payload)
