"""How long it is kept what was used of the inference tier."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet

from webapp.common.keeping import keeps, rows_kept
from webapp.inference.models import UsageHour


def _old_usage(before: datetime) -> Iterator[QuerySet[UsageHour]]:
    yield UsageHour.objects.filter(hour_at__lt=before)


keeps(
    rows_kept("usage", "What API keys and agents had judged, by hour", (UsageHour,), _old_usage)
)  # fmt: skip
