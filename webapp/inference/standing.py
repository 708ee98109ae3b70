"""How the tiers are, as people read it: here or away, what they serve, how long one waits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from processing.wire.tier import TierBundle, TierQueue, TierReport
from webapp.inference.models import Tier
from webapp.inference.serving import (
    Routed,
    all_decided,
    by_model,
    read_state,
    reported_bundles,
    routed,
)


@dataclass(frozen=True, slots=True)
class TierRow:
    """One tier."""

    tier: Tier
    is_here: bool
    state: TierReport | None
    lag_s: float
    """Since it was last heard of."""

    @property
    def memory_bytes(self) -> int:
        return sum(bundle.memory_bytes for bundle in self.state.bundles) if self.state else 0


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a model, as it is served."""

    digest: str
    name: str
    version: str
    state: str
    reason: str
    memory_bytes: int
    n_labels: int
    weight: float
    is_shadow: bool
    share: float
    """Of the pictures that name no version; nothing for one that failed, whatever its weight."""

    @property
    def percent(self) -> int:
        return round(100 * self.share)


@dataclass(frozen=True, slots=True)
class ModelRow:
    """What is served under one name, over all tiers that are here."""

    model: str
    versions: list[VersionRow]
    n_waiting: int
    wait_ms: float
    pictures_per_s: float
    disagreement: float | None
    """Of what shadows judged as well, how much they judged otherwise, at worst."""


def tier_rows(*, at: datetime) -> list[TierRow]:
    """Return every tier of the hub that has reported of late, those that are here first."""
    rows = [
        TierRow(tier, tier.is_here(at=at), read_state(tier), (at - tier.seen_at).total_seconds())
        for tier in Tier.objects.all()
    ]
    return sorted(rows, key=lambda row: not row.is_here)


def tier_lag_s(*, at: datetime) -> float | None:
    """Return since when nothing was heard of any tier; None where none ever reported."""
    newest = Tier.objects.order_by("-seen_at").first()
    return round((at - newest.seen_at).total_seconds(), 3) if newest else None


def model_rows(*, at: datetime) -> list[ModelRow]:
    """Return what is served, by name; of tiers that are here, or else as it was last known."""
    tiers = list(Tier.objects.all())
    here = [tier for tier in tiers if tier.is_here(at=at)] or tiers
    queues = [queue for tier in here for queue in _queues(tier)]
    decided = all_decided()
    return [
        _model_row(
            model,
            routed(found, decided.get(model, {})),
            found,
            [queue for queue in queues if queue.model == model],
        )
        for model, found in sorted(by_model(reported_bundles(here)).items())
    ]


def _model_row(
    model: str,
    shares: Iterable[Routed],
    bundles: Sequence[TierBundle],
    queues: Sequence[TierQueue],
) -> ModelRow:
    route = {each.digest: each for each in shares}
    total = sum(
        route[bundle.digest].weight
        for bundle in bundles
        if bundle.state != "failed" and not route[bundle.digest].is_shadow
    )
    told = [queue.disagreement for queue in queues if queue.disagreement is not None]
    return ModelRow(
        model=model,
        versions=[_version_row(bundle, route[bundle.digest], total) for bundle in bundles],
        n_waiting=sum(queue.n_waiting for queue in queues),
        wait_ms=min((queue.wait_ms for queue in queues), default=0.0),
        pictures_per_s=sum(queue.pictures_per_s for queue in queues),
        disagreement=max(told, default=None),
    )


def _version_row(bundle: TierBundle, route: Routed, total: float) -> VersionRow:
    takes_none = route.is_shadow or bundle.state == "failed"
    return VersionRow(
        digest=bundle.digest,
        name=bundle.name,
        version=bundle.version,
        state=bundle.state,
        reason=bundle.reason,
        memory_bytes=bundle.memory_bytes,
        n_labels=len(bundle.labels),
        weight=route.weight,
        is_shadow=route.is_shadow,
        share=0.0 if takes_none or not total else route.weight / total,
    )


def _queues(tier: Tier) -> Iterable[TierQueue]:
    state = read_state(tier)
    return state.queues if state else ()
