"""What each grant had done with each model, until the hub has counted it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from processing.wire.tier import Grant, Outcome, Use

MAX_ROWS: Final = 20_000
"""Grants times models that wait to be reported; more are counted as `n_lost`."""


@dataclass(slots=True)
class _Row:
    grant: Grant
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    n_bytes: int = 0
    busy_ms: float = 0.0


class Uses:
    """Adds up uses; whoever reports takes them out, and settles once the hub has counted them."""

    def __init__(self) -> None:
        self._rows: dict[tuple[UUID, str], _Row] = {}
        self._answered: Counter[UUID] = Counter()
        self.n_lost = 0
        """Pictures that could not be counted, since too much waited to be reported."""

    def __len__(self) -> int:
        """Return how many rows wait to be taken."""
        return len(self._rows)

    def add(
        self, grant: Grant, model: str, outcome: Outcome, *, n_bytes: int, busy_ms: float = 0.0
    ) -> None:
        """Count one picture."""
        key = (grant.grant_id, model)
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= MAX_ROWS:
                self.n_lost += 1
                return
            row = self._rows[key] = _Row(grant)
        row.outcomes[outcome] = row.outcomes.get(outcome, 0) + 1
        row.n_bytes += n_bytes
        row.busy_ms += busy_ms
        if outcome == "answered":
            self._answered[grant.grant_id] += 1

    def n_answered(self, grant_id: UUID) -> int:
        """Return how many answers to a grant the hub has not counted yet."""
        return self._answered[grant_id]

    def take(self, most: int) -> tuple[Use, ...]:
        """Take out up to `most` rows, the oldest first."""
        keys = [key for key, _ in zip(self._rows, range(most), strict=False)]
        return tuple(_as_use(key[1], self._rows.pop(key)) for key in keys)

    def settle(self, uses: Sequence[Use]) -> None:
        """Hear that the hub has counted what was taken."""
        for use in uses:
            self._answered[use.grant_id] -= use.outcomes.get("answered", 0)
            if self._answered[use.grant_id] <= 0:
                del self._answered[use.grant_id]

    def waiting(self) -> tuple[Use, ...]:
        """Return all rows that wait, and leave them."""
        return tuple(_as_use(model, row) for (_, model), row in self._rows.items())

    def put_back(self, uses: Sequence[Use]) -> None:
        """Add what a process before this one had left waiting."""
        for use in uses:
            key = (use.grant_id, use.model)
            row = self._rows.setdefault(key, _Row(_owner(use)))
            for outcome, n in use.outcomes.items():
                row.outcomes[outcome] = row.outcomes.get(outcome, 0) + n
            row.n_bytes += use.n_bytes
            row.busy_ms += use.busy_ms
        self.take_over(uses)

    def take_over(self, uses: Sequence[Use]) -> None:
        """Hear of what a process before this one took out, and the hub may not have counted."""
        for use in uses:
            self._answered[use.grant_id] += use.outcomes.get("answered", 0)


def _as_use(model: str, row: _Row) -> Use:
    return Use(
        grant_id=row.grant.grant_id,
        kind=row.grant.kind,
        organization_id=row.grant.organization_id,
        model=model,
        outcomes=dict(row.outcomes),
        n_bytes=row.n_bytes,
        busy_ms=row.busy_ms,
    )


def _owner(use: Use) -> Grant:
    return Grant(
        grant_id=use.grant_id,
        kind=use.kind,
        organization_id=use.organization_id,
        scopes=(),
        pictures_per_s=1.0,
        burst=1,
    )
