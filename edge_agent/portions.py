"""How much is sent at once, and which entry is to blame when a hub refuses what it gets."""

from dataclasses import dataclass
from typing import Final

from processing.wire.limits import CREDIT_BATCHES, MAX_ENTRIES, MAX_MESSAGE_BYTES
from processing.wire.messages import Lane

MAX_BATCH_BYTES: Final = MAX_MESSAGE_BYTES - 8 * 1024
"""Of the entries of a batch; the rest is its envelope."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Numbers of one lane that the hub has been sent, and has not acknowledged yet."""

    lane: Lane
    first_seq: int
    last_seq: int
    n_bytes: int = 0
    """Of its entries."""
    is_gap: bool = False

    @property
    def n_entries(self) -> int:
        return self.last_seq - self.first_seq + 1


class Portions:
    """Outlives connections: after a refusal the next one sends less at once, until it is well."""

    def __init__(self) -> None:
        self.n_entries = MAX_ENTRIES
        """In a batch, at the most."""
        self.n_batches = CREDIT_BATCHES
        """In flight, at the most."""

    @property
    def is_cautious(self) -> bool:
        """Return whether a refusal is being looked into."""
        return self.n_batches == 1

    def refused(self, in_flight: list[Batch]) -> Batch | None:
        """The hub would not have something of this; return the batch if it can only be that one.

        Otherwise the next portions are smaller: one batch at a time, and half as many entries.
        """
        if not in_flight:
            return None
        suspects = [batch for batch in in_flight if not batch.is_gap]
        if len(in_flight) == 1 and suspects and suspects[0].n_entries == 1:
            return suspects[0]
        largest = max((batch.n_entries for batch in suspects), default=1)
        if self.is_cautious:
            self.n_entries = max(1, min(self.n_entries, largest) // 2)
        self.n_batches = 1
        return None

    def accepted(self) -> None:
        """The hub has taken a batch: try more with the next."""
        if self.n_entries < MAX_ENTRIES:
            self.n_entries = min(MAX_ENTRIES, self.n_entries * 2)
        else:
            self.n_batches = CREDIT_BATCHES
