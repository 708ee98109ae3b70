"""Appends results until it is killed: `append_forever.py OUTBOX LEDGER`."""

import sys
from itertools import count
from pathlib import Path

from edge_agent.clock import utc_now
from edge_agent.ledger import Ledger
from edge_agent.outbox import Outbox
from tests.edge_agent.entries import Noticed, result

if __name__ == "__main__":
    outbox = Outbox(
        Path(sys.argv[1]),
        capacity_bytes=50_000_000,
        now=utc_now,
        problems=Noticed(),
        ledger=Ledger(Path(sys.argv[2])),
    )
    for n in count():
        outbox.append(result(n))
        if n % 50 == 0:
            outbox.states().result()  # now and then, wait for the disk
