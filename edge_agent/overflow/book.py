"""What the cloud has done for each camera and what it cost, kept on disk over the agent's restarts.

What is reported is what is on disk, so no count ever falls. Of a day's budget a part is written
down before it is spent: an agent that is killed loses the rest of that part, and spends nothing
twice.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias, get_args
from uuid import UUID

import msgspec
import structlog

from edge_agent.clock import Clock
from processing.wire.camera import OverflowPolicy
from processing.wire.limits import MAX_TEXT
from processing.wire.overflow import OverflowState

Figure: TypeAlias = Literal[
    "n_local", "n_cloud", "n_saturated", "n_doubtful", "n_always", "n_refused", "n_late",
    "n_failed", "n_over_budget", "n_unknown", "n_bytes", "micros",
]  # fmt: skip
_PARTS: Final = 50
"""Of a day's budget, how many are written down one by one."""
_MB: Final = 1_000_000

log = structlog.get_logger()


class Cost(NamedTuple):
    """What pictures cost."""

    n_bytes: int = 0
    micros: int = 0

    def plus(self, other: "Cost") -> "Cost":
        return Cost(self.n_bytes + other.n_bytes, self.micros + other.micros)

    def less(self, other: "Cost") -> "Cost":
        return Cost(max(0, self.n_bytes - other.n_bytes), max(0, self.micros - other.micros))

    def is_within(self, limit: "Cost") -> bool:
        return self.n_bytes <= limit.n_bytes and self.micros <= limit.micros


_NO_LIMIT: Final = 2**62


def limit_of(policy: OverflowPolicy) -> Cost:
    """Return what a camera may cost a day."""
    mb, money = policy.mb_per_day, policy.money_per_day
    return Cost(
        _NO_LIMIT if mb is None else round(mb * _MB),
        _NO_LIMIT if money is None else round(money * _MB),
    )


class _Kept(msgspec.Struct):
    """Of one camera, on disk."""

    since_at: datetime
    counts: dict[str, int]
    day: date
    spent: Cost
    """On that day, or written down to be."""


class _Account:
    """Of one camera, in memory."""

    def __init__(self, kept: _Kept) -> None:
        self.since_at: Final = kept.since_at
        self.counts: Counter[str] = Counter(kept.counts)
        self.day = kept.day
        self.spent = kept.spent
        self.claimed = kept.spent
        """On disk; never less than what is spent of a limit."""

    def turn_to(self, day: date) -> None:
        """Begin a new day's budget."""
        if day != self.day:
            self.day, self.spent, self.claimed = day, Cost(), Cost()

    def kept(self) -> _Kept:
        spent = Cost(*map(max, self.spent, self.claimed))
        return _Kept(self.since_at, dict(self.counts), self.day, spent)


class Book:
    """Any thread may call. `spend` and `save` write to the disk; the others never wait for it."""

    def __init__(self, path: Path, *, now: Clock) -> None:
        self._path: Final = path
        self._now = now
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        """Taken before the other, so that what is written last is the newest."""
        self._accounts = {key: _Account(kept) for key, kept in self._read().items()}
        self._saved: dict[UUID, _Kept] = {
            key: account.kept() for key, account in self._accounts.items()
        }
        self._is_dirty = False

    def count(self, camera_id: UUID, figures: Mapping[Figure, int]) -> None:
        """Add to a camera's figures."""
        with self._lock:
            self._account(camera_id).counts.update(figures)
            self._is_dirty = True

    def has_left(self, camera_id: UUID, policy: OverflowPolicy, cost: Cost) -> bool:
        """Return whether so much more is within the day's budget."""
        with self._lock:
            account = self._account(camera_id)
            return account.spent.plus(cost).is_within(limit_of(policy))

    def spend(self, camera_id: UUID, policy: OverflowPolicy, cost: Cost) -> bool:
        """Take this out of the day's budget, if there is so much left; it may write to the disk."""
        limit = limit_of(policy)
        with self._lock:
            account = self._account(camera_id)
            spent = account.spent.plus(cost)
            if not spent.is_within(limit):
                return False
            account.spent = spent
            is_claimed = spent.is_within(account.claimed) or limit == (_NO_LIMIT, _NO_LIMIT)
            if not is_claimed:
                account.claimed = Cost(*map(_next_claim, spent, limit))
        if not is_claimed:
            self._write(is_lasting=True)
        return True

    def give_back(self, camera_id: UUID, cost: Cost) -> None:
        """Take back what was spent for nothing."""
        with self._lock:
            account = self._account(camera_id)
            account.spent = account.spent.less(cost)

    def states(self, reasons: Mapping[UUID, str]) -> dict[UUID, OverflowState]:
        """Return what was saved, of cameras that have had to do with the cloud."""
        with self._lock:
            return {
                camera_id: OverflowState(
                    since_at=kept.since_at,
                    reason=reasons.get(camera_id, "")[:MAX_TEXT],
                    **kept.counts,
                )
                for camera_id, kept in self._saved.items()
                if kept.counts
            }

    def keep_only(self, camera_ids: Iterable[UUID]) -> None:
        """Forget all cameras but these."""
        wanted = set(camera_ids)
        with self._lock:
            for camera_id in self._accounts.keys() - wanted:
                del self._accounts[camera_id]
                self._saved.pop(camera_id, None)
                self._is_dirty = True

    def save(self, *, is_last: bool = False) -> None:
        """Write what has changed; the last time, nothing is claimed any more."""
        with self._lock:
            if is_last:
                for account in self._accounts.values():
                    account.claimed = Cost()
            elif not self._is_dirty:
                return
        self._write(is_lasting=is_last)

    def _account(self, camera_id: UUID) -> _Account:
        now = self._now()
        account = self._accounts.get(camera_id)
        if account is None:
            account = self._accounts[camera_id] = _Account(_Kept(now, {}, now.date(), Cost()))
        account.turn_to(now.date())
        return account

    def _write(self, *, is_lasting: bool) -> None:
        with self._writing:
            with self._lock:
                kept = {camera_id: account.kept() for camera_id, account in self._accounts.items()}
                self._is_dirty = False
            content = msgspec.msgpack.encode({key.hex: each for key, each in kept.items()})
            part = self._path.with_suffix(".part")
            try:
                with part.open("wb") as file:
                    file.write(content)
                    if is_lasting:
                        file.flush()
                        os.fsync(file.fileno())
                part.replace(self._path)
            except OSError as error:
                log.warning("overflow.not_kept", reason=str(error))
                with self._lock:
                    self._is_dirty = True
                return
            with self._lock:
                self._saved = kept

    def _read(self) -> dict[UUID, _Kept]:
        try:
            content = self._path.read_bytes()
            kept = msgspec.msgpack.decode(content, type=dict[str, _Kept])
            return {UUID(key): _known_of(each) for key, each in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError, ValueError) as error:
            log.warning("overflow.unreadable", reason=str(error))
            return {}


def _known_of(kept: _Kept) -> _Kept:
    """Return it without what a newer version of this program counts."""
    kept.counts = {name: n for name, n in kept.counts.items() if name in get_args(Figure)}
    return kept


def _next_claim(spent: int, limit: int) -> int:
    """Return how much of a limit to write down: what is spent, and a part for what comes."""
    return spent if limit == _NO_LIMIT else min(limit, spent + max(1, limit // _PARTS))
