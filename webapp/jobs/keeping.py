"""How long jobs are kept that are over."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet

from webapp.common.keeping import keeps, rows_kept
from webapp.jobs.models import Job


def _old_jobs(before: datetime) -> Iterator[QuerySet[Job]]:
    """Yield jobs that left nothing to be fetched; what did goes with its files."""
    over = (Job.State.DONE, Job.State.FAILED, Job.State.CANCELLED)
    yield Job.objects.filter(state__in=over, finished_at__lt=before).exclude(result__has_key="blob")


keeps(rows_kept("jobs", "Jobs that are over", (Job,), _old_jobs))
