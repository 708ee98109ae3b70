"""Reads about workers."""

from datetime import datetime, timedelta
from typing import Final

from webapp.jobs.models import Worker

SILENT: Final = timedelta(seconds=30)


def has_live_worker(*, at: datetime) -> bool:
    """Return whether any worker was heard of lately."""
    return Worker.objects.filter(seen_at__gte=at - SILENT).exists()
