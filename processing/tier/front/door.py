"""The one way in for pictures, over whichever protocol they come: who asks pays, and is counted."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias
from uuid import UUID

from processing.tier.contract import (
    Answer,
    Foresight,
    InferenceTier,
    Inquiry,
    JudgeFailed,
    ModelStatus,
    Overloaded,
    Refused,
    TooLate,
    UnknownModel,
)
from processing.tier.hub.credentials import Credentials
from processing.tier.hub.metering import Uses
from processing.tier.queueing.buckets import Buckets
from processing.wire.tier import Grant, Outcome, Scope

MAX_QUOTAS: Final = 10_000
"""Grants with a limit a day that are remembered at once."""
MAX_TALLIES: Final = 256
"""Versions whose figures are remembered at once."""
_QUOTA_RETRY_S: Final = 300.0


class TooMuch(Overloaded):
    """This grant asks for more than it may; others are served."""


@dataclass(slots=True)
class Tally:
    """How often a version was asked since the tier started, and what it took. Times in ms."""

    n_answered: int = 0
    n_failed: int = 0
    waited_ms: float = 0.0
    decode_ms: float = 0.0
    infer_ms: float = 0.0
    last_at: float = 0.0
    """Unix seconds."""


@dataclass(slots=True)
class _Quota:
    grant: Grant
    n_left: int


_Quotas: TypeAlias = OrderedDict[UUID, _Quota]
"""By grant."""


class Door:
    """Lets in who may, and has their pictures judged."""

    def __init__(
        self,
        tier: InferenceTier,
        credentials: Credentials,
        uses: Uses,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.tier: Final = tier
        self._credentials = credentials
        self._uses = uses
        self._clock = clock
        self._wall_clock = wall_clock
        self._buckets = Buckets()
        self._quotas: _Quotas = OrderedDict()
        self._tallies: OrderedDict[tuple[str, str], Tally] = OrderedDict()
        self.outcomes: dict[Outcome, int] = {}
        """Pictures since the tier started, by how it went."""

    async def admit(self, bearer: str, scope: Scope) -> Grant:
        """Return what the bearer may do; raise as `Credentials.admit` does."""
        return await self._credentials.admit(bearer, scope)

    async def judge(self, grant: Grant, inquiries: Sequence[Inquiry]) -> list[Answer]:
        """Return an answer to each, or raise the first `Refused`: then the rest is dropped.

        Whoever asks gets all answers or none, so all are counted alike.
        """
        self._spend(grant, len(inquiries))
        try:
            answers = await self._submit(inquiries)
        except Refused as refused:
            self._note_refused(grant, inquiries, _outcome_of(refused))
            raise
        except asyncio.CancelledError:  # they went before the answer came
            self._note_refused(grant, inquiries, "late")
            raise
        for inquiry, answer in zip(inquiries, answers, strict=True):
            self._note_answered(grant, inquiry, answer)
        return answers

    def turn_away(self, bearer: str, inquiry: Inquiry) -> Overloaded | None:
        """Return why whoever comes with this would be refused, before the picture is here.

        None if there is a chance, or whatever else is to be said is said later. It costs
        microseconds: a flood of requests must not take the time of those that are answered.
        """
        if not isinstance(self.tier, Foresight):
            return None
        grant = self._credentials.recall(bearer, "detect")
        if grant is None:
            return None
        asked = replace(
            inquiry,
            model=self.model_or_default(inquiry.model),
            tenant=str(grant.organization_id),
        )
        refused = self.tier.foresee(asked)
        if refused is not None:
            self._tally_of(asked.model, asked.version).n_failed += 1
            self._count(grant, asked, "refused", busy_ms=0.0)
        return refused

    def model_or_default(self, model: str) -> str:
        """Return the model that is meant; by no name the first that is served is."""
        if model:
            return model
        for status in self.tier.models():
            if status.state == "ready":
                return status.model
        raise UnknownModel("no model is served yet")

    def statuses(self, model: str, version: str = "") -> list[ModelStatus]:
        """Return the versions of a model; raise `UnknownModel` if there is none."""
        found = [
            status
            for status in self.tier.models()
            if status.model == model and version in ("", status.digest)
        ]
        if not found:
            raise UnknownModel(f"nothing is served as {model[:100]} {version[:100]}".rstrip())
        return found

    def is_ready(self) -> bool:
        """Return whether some version can judge."""
        return any(status.state == "ready" for status in self.tier.models())

    def tally(self, model: str, version: str) -> Tally:
        """Return the figures of a version."""
        return self._tallies.get((model, version)) or Tally()

    def _spend(self, grant: Grant, n: int) -> None:
        try:
            self._buckets.take(
                str(grant.grant_id),
                n,
                per_s=grant.pictures_per_s,
                burst=grant.burst,
                at_s=self._clock(),
            )
        except Overloaded as error:
            raise TooMuch(str(error), retry_after_s=error.retry_after_s) from error
        quota = self._quota(grant)
        if quota is None:
            return
        if n > quota.n_left:
            raise TooMuch("the pictures of this day are used up", retry_after_s=_QUOTA_RETRY_S)
        quota.n_left -= n

    def _quota(self, grant: Grant) -> _Quota | None:
        """Return what is left of the day, less what the hub does not know of yet."""
        if grant.n_left_today is None:
            return None
        quota = self._quotas.get(grant.grant_id)
        if quota is None or quota.grant is not grant:
            n_left = max(0, grant.n_left_today - self._uses.n_answered(grant.grant_id))
            quota = self._quotas[grant.grant_id] = _Quota(grant, n_left)
        self._quotas.move_to_end(grant.grant_id)
        if len(self._quotas) > MAX_QUOTAS:
            self._quotas.popitem(last=False)
        return quota

    async def _submit(self, inquiries: Sequence[Inquiry]) -> list[Answer]:
        if len(inquiries) == 1:
            return [await self.tier.submit(inquiries[0])]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self.tier.submit(each)) for each in inquiries]
        except BaseExceptionGroup as errors:
            refused = errors.subgroup(Refused)
            if refused is None:
                raise
            raise _first(refused) from errors
        return [task.result() for task in tasks]

    def _note_answered(self, grant: Grant, inquiry: Inquiry, answer: Answer) -> None:
        tally = self._tally_of(inquiry.model, answer.version)
        tally.n_answered += 1
        tally.waited_ms += answer.timings.waited_ms
        tally.decode_ms += answer.timings.decode_ms
        tally.infer_ms += answer.timings.infer_ms
        tally.last_at = self._wall_clock()
        busy_ms = answer.timings.decode_ms + answer.timings.infer_ms
        self._count(grant, inquiry, "answered", busy_ms=busy_ms)

    def _note_refused(
        self, grant: Grant, inquiries: Sequence[Inquiry], outcome: Outcome | None
    ) -> None:
        quota = self._quotas.get(grant.grant_id)
        if quota is not None:
            quota.n_left += len(inquiries)
        for inquiry in inquiries:
            # There is no end of strangers' names, and the hub takes only such as a model may have.
            if outcome is not None and self._is_served(inquiry):
                self._tally_of(inquiry.model, inquiry.version).n_failed += 1
                self._count(grant, inquiry, outcome, busy_ms=0.0)

    def _is_served(self, inquiry: Inquiry) -> bool:
        return any(
            status.model == inquiry.model and inquiry.version in ("", status.digest)
            for status in self.tier.models()
        )

    def _count(self, grant: Grant, inquiry: Inquiry, outcome: Outcome, *, busy_ms: float) -> None:
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        self._uses.add(grant, inquiry.model, outcome, n_bytes=size_of(inquiry), busy_ms=busy_ms)

    def _tally_of(self, model: str, version: str) -> Tally:
        tally = self._tallies.setdefault((model, version), Tally())
        if len(self._tallies) > MAX_TALLIES:
            self._tallies.popitem(last=False)
        return tally


def size_of(inquiry: Inquiry) -> int:
    """Return how many bytes a picture came in."""
    picture = inquiry.picture
    return len(picture) if isinstance(picture, bytes) else picture.rgb.nbytes


def _outcome_of(refused: Refused) -> Outcome | None:
    """Return how it is counted; None: not at all."""
    match refused:
        case UnknownModel():
            return None
        case Overloaded():
            return "refused"
        case TooLate():
            return "late"
        case JudgeFailed():
            return "failed"
        case _:
            return "bad"


def _first(group: BaseExceptionGroup[Refused]) -> Refused:
    for error in group.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    raise AssertionError("a group holds something")
