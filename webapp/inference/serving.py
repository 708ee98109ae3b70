"""What is served under which name: as the bundles come, until an operator decides otherwise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from django.db import transaction

from processing.wire.tier import (
    TierBundle,
    TierReport,
    TierWanted,
    WantedModel,
    WantedVersion,
    model_name,
)
from webapp.accounts.models import Organization, Role, User
from webapp.accounts.queries import organizations_where
from webapp.inference.models import ServedVersion, Tier

MAX_WEIGHT: Final = 1000.0
MAX_VERSIONS: Final = 16


class BadRoute(ValueError):
    """This cannot be served; `field` says what is wrong with what."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


class SharedHub(Exception):
    """Several organizations use what is served, so that none of them alone decides about it."""

    def __str__(self) -> str:
        return "Several organizations use this hub: only whoever runs it decides what is served."


@dataclass(frozen=True, slots=True)
class Routed:
    """How much of what comes a version takes."""

    digest: str
    weight: float
    is_shadow: bool = False


def wanted_of(bundles: Iterable[TierBundle]) -> TierWanted:
    """Return what a tier with these bundles is to serve; nothing said: all of them, as they are."""
    decided = all_decided()
    if not decided:
        return TierWanted()
    models = tuple(
        WantedModel(model=name, versions=_wanted_versions(found, decided.get(name, {})))
        for name, found in sorted(by_model(bundles).items())
    )
    return TierWanted(models=models)


def by_model(bundles: Iterable[TierBundle]) -> dict[str, list[TierBundle]]:
    """Return bundles by the name that they are served under."""
    found: dict[str, list[TierBundle]] = {}
    for bundle in bundles:
        found.setdefault(model_name(bundle.name), []).append(bundle)
    return found


def routed(bundles: Sequence[TierBundle], decided: dict[str, Routed]) -> list[Routed]:
    """Return how one model's versions share what comes: as decided, else equally.

    A version that came later takes nothing until somebody decides so; if none of those that were
    decided about is left, all share again.
    """
    digests = list(dict.fromkeys(bundle.digest for bundle in bundles))
    said = [decided.get(digest, Routed(digest, 0.0)) for digest in digests]
    if any(each.weight > 0 and not each.is_shadow for each in said):
        return said
    return [Routed(digest, 1.0) for digest in digests]


def reported_bundles(tiers: Iterable[Tier]) -> list[TierBundle]:
    """Return what is in the folders of these tiers, each digest once; a ready one before others."""
    found: dict[str, TierBundle] = {}
    for tier in tiers:
        state = read_state(tier)
        for bundle in state.bundles if state else ():
            if bundle.digest not in found or bundle.state == "ready":
                found[bundle.digest] = bundle
    return sorted(found.values(), key=lambda bundle: (bundle.name, bundle.version, bundle.digest))


def read_state(tier: Tier) -> TierReport | None:
    """Return a tier's newest report; None for one that another version of the hub took."""
    try:
        return msgspec.convert(tier.state, TierReport)
    except msgspec.ValidationError:
        return None


def may_route(user: User) -> bool:
    """Return whether somebody may change what is served: it is the same for all of a hub."""
    if user.is_superuser:
        return True
    is_operator = organizations_where(user, Role.OPERATOR).exists()
    return is_operator and Organization.objects.count() == 1


@transaction.atomic
def route_model(model: str, versions: Sequence[Routed], *, by: User, at: datetime) -> None:
    """Have these versions share what comes to a model; raise `BadRoute` or `SharedHub`.

    A version without weight that is no shadow is not loaded.
    """
    if not may_route(by):
        raise SharedHub
    # Held, so that of two who decide at once the later finds what the other decided.
    tiers = list(Tier.objects.select_for_update().order_by("pk"))
    _check_route(model, versions, tiers)
    ServedVersion.objects.filter(model=model).delete()
    ServedVersion.objects.bulk_create(
        ServedVersion(
            model=model,
            digest=each.digest,
            weight=0.0 if each.is_shadow else each.weight,
            is_shadow=each.is_shadow,
            changed_by=by,
            changed_at=at,
        )
        for each in versions
    )


def _check_route(model: str, versions: Sequence[Routed], tiers: Iterable[Tier]) -> None:
    there = {each.digest for each in by_model(reported_bundles(tiers)).get(model, ())}
    if not there:
        raise BadRoute("model", "No tier has a model of this name.")
    if not 0 < len(versions) <= MAX_VERSIONS:
        raise BadRoute("versions", f"1 to {MAX_VERSIONS} versions share a model.")
    digests = [each.digest for each in versions]
    if len(set(digests)) < len(digests):
        raise BadRoute("versions", "A version is named twice.")
    if unknown := sorted(set(digests) - there):
        raise BadRoute("versions", f"This model has no version {unknown[0]}.")
    if any(not 0 <= each.weight <= MAX_WEIGHT for each in versions):
        raise BadRoute("versions", f"Weights are from 0 to {MAX_WEIGHT:.0f}.")
    if not any(each.weight > 0 and not each.is_shadow for each in versions):
        raise BadRoute("versions", "At least one version must answer: give one a weight.")


def all_decided() -> dict[str, dict[str, Routed]]:
    """Return what was decided about versions, by model and digest."""
    found: dict[str, dict[str, Routed]] = {}
    for row in ServedVersion.objects.all():
        route = Routed(row.digest, row.weight, row.is_shadow)
        found.setdefault(row.model, {})[row.digest] = route
    return found


def _wanted_versions(
    bundles: Sequence[TierBundle], decided: dict[str, Routed]
) -> tuple[WantedVersion, ...]:
    wanted = [
        WantedVersion(digest=each.digest, weight=each.weight, is_shadow=each.is_shadow)
        for each in routed(bundles, decided)
        if each.weight > 0 or each.is_shadow
    ]
    return tuple(wanted[:MAX_VERSIONS])
