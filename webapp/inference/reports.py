"""What tiers report: kept as it is now, and what was used counted exactly once."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from django.db import transaction

from processing.wire.tier import Outcome, TierReport, TierWanted, Use
from webapp.accounts.models import Organization
from webapp.common.ids import uuid7
from webapp.common.rows import Kind, Row, write_rows
from webapp.common.text import clean_text
from webapp.inference.models import Tier, TierBoot
from webapp.inference.serving import wanted_of

MAX_TIERS: Final = 64
FORGOTTEN_AFTER: Final = timedelta(days=7)
"""A tier that has not been heard of for so long is not shown any more."""
MAX_BOOTS: Final = 100
"""Of a tier, whose numbers are remembered: a report is not on its way for that long."""

_OUTCOMES: Final[tuple[Outcome, ...]] = ("answered", "refused", "late", "failed", "bad")
_KINDS: Final[tuple[Kind, ...]] = (
    "uuid", "uuid", "uuid", "text", "text", "timestamptz",
    "int8", "int8", "int8", "int8", "int8", "int8", "float8",
)  # fmt: skip
_TABLE: Final = "inference_usagehour"
_SUMS: Final = (*(f"n_{outcome}" for outcome in _OUTCOMES), "n_bytes", "busy_ms")
_ADDED: Final = ", ".join(f"{name} = {_TABLE}.{name} + excluded.{name}" for name in _SUMS)
_ADD: Final = (
    f"INSERT INTO {_TABLE} (id, organization_id, grant_id, kind, model, hour_at,"
    f" {', '.join(_SUMS)}) {{rows}}"
    " ON CONFLICT (organization_id, grant_id, kind, model, hour_at)"
    f" DO UPDATE SET {_ADDED}"
)


class TooManyTiers(Exception):
    """More tiers than a hub follows."""

    def __str__(self) -> str:
        return f"A hub follows at most {MAX_TIERS} inference tiers."


class _Used(NamedTuple):
    organization_id: UUID
    grant_id: UUID
    kind: str
    model: str


@transaction.atomic
def take_report(report: TierReport, *, at: datetime) -> TierWanted:
    """Keep how a tier is, count what was used, and return what is wanted; or `TooManyTiers`.

    The same (tier, boot, number) is counted once, also when it comes twice at the same time.
    """
    tier = _held(report, at=at)
    boot, is_new_boot = TierBoot.objects.get_or_create(
        tier=tier, boot_id=report.boot_id, defaults={"number": 0, "seen_at": at}
    )
    if is_new_boot or not tier.is_here(at=at):
        tier.up_since_at = at
    if report.number > boot.number:
        add_usage(report.uses, at=at)
        tier.state = _state_of(report)
        boot.number = report.number
    tier.seen_at = boot.seen_at = at
    boot.save(update_fields=["number", "seen_at"])
    tier.save(update_fields=["seen_at", "up_since_at", "state"])
    if is_new_boot:
        _forget_boots(tier)
    return wanted_of(report.bundles)


def add_usage(uses: Iterable[Use], *, at: datetime) -> None:
    """Add what was used to this hour's rows; what is of no organization any more is left out."""
    sums: dict[_Used, Counter[str]] = {}
    busy: Counter[_Used] = Counter()
    for use in uses:
        key = _Used(use.organization_id, use.grant_id, use.kind, use.model)
        counted = sums.setdefault(key, Counter())
        counted.update(use.outcomes)
        counted["bytes"] += use.n_bytes
        busy[key] += use.busy_ms  # type: ignore[assignment]  # Counter adds floats as well
    known = set(
        Organization.objects.filter(pk__in={key.organization_id for key in sums}).values_list(
            "pk", flat=True
        )
    )
    hour_at = at.replace(minute=0, second=0, microsecond=0)
    rows: list[Row] = [
        (
            uuid7().hex, key.organization_id.hex, key.grant_id.hex, key.kind, key.model, hour_at,
            *(counted[outcome] for outcome in _OUTCOMES), counted["bytes"], float(busy[key]),
        )
        for key, counted in sorted(sums.items())
        if key.organization_id in known
    ]  # fmt: skip
    write_rows(_ADD, _KINDS, rows)


def _held(report: TierReport, *, at: datetime) -> Tier:
    """Return the tier's row, locked; made when it is new."""
    fresh = Tier(id=report.tier_id, first_seen_at=at, seen_at=at, up_since_at=at)
    if not Tier.objects.filter(pk=report.tier_id).exists():
        Tier.objects.filter(seen_at__lt=at - FORGOTTEN_AFTER).delete()
        if Tier.objects.count() >= MAX_TIERS:
            raise TooManyTiers
        Tier.objects.bulk_create([fresh], ignore_conflicts=True)
    return Tier.objects.select_for_update().get(pk=report.tier_id)


def _state_of(report: TierReport) -> Any:
    """Return a report as it is kept: without what was used, in text that PostgreSQL stores."""
    told = msgspec.structs.replace(report, uses=())
    return _cleaned(msgspec.to_builtins(told))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {name: _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value


def _forget_boots(tier: Tier) -> None:
    newest = tier.boots.order_by("-pk").values_list("pk", flat=True)[:MAX_BOOTS]
    tier.boots.exclude(pk__in=list(newest)).delete()
