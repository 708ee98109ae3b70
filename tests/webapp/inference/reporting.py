"""What a tier would say, made by plain functions."""

from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import msgspec
from django.conf import settings
from django.test import Client

from processing.wire.tier import Outcome, TierBundle, TierQueue, TierReport, Use
from tests.factories import START
from webapp.accounts.models import Organization

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse

_numbers = count(1)
GRANTS = "/api/v1/tier/grants/"
REPORTS = "/api/v1/tier/reports/"


def make_tier_bundle(name: str = "nanodet-g", version: str = "1", **fields: object) -> TierBundle:
    said = {
        "digest": f"{next(_numbers):032x}",
        "name": name,
        "version": version,
        "labels": ("person", "car"),
        "state": "ready",
        "memory_bytes": 40_000_000,
    }
    return msgspec.convert(said | fields, TierBundle)


def make_use(
    organization: Organization,
    grant_id: UUID | None = None,
    *,
    model: str = "nanodet-g",
    busy_ms: float = 1.0,
    **outcomes: int,
) -> Use:
    said: dict[Outcome, int] = msgspec.convert(outcomes, dict[Outcome, int])
    return Use(
        grant_id=grant_id or uuid4(),
        kind="key",
        organization_id=organization.pk,
        model=model,
        outcomes=said,
        n_bytes=100,
        busy_ms=busy_ms,
    )


def make_report(
    *uses: Use,
    tier_id: UUID | None = None,
    boot_id: UUID | None = None,
    number: int = 1,
    bundles: tuple[TierBundle, ...] = (),
    queues: tuple[TierQueue, ...] = (),
    problems: tuple[str, ...] = (),
) -> TierReport:
    return TierReport(
        tier_id=tier_id or uuid4(),
        boot_id=boot_id or uuid4(),
        number=number,
        at=START,
        software="1.0",
        device="CPU",
        bundles=bundles,
        queues=queues,
        uses=uses,
        problems=problems,
    )


def post_as_tier(
    client: Client, path: str, body: object, *, token: str = ""
) -> "_MonkeyPatchedWSGIResponse":
    """Send what a tier sends, with its token."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    headers = {"Authorization": f"Bearer {token or settings.TIER_TOKEN}"}
    return client.post(path, content, content_type="application/json", headers=headers)
