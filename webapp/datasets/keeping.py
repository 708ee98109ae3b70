"""How long exports are offered."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum

from webapp.common.keeping import keeps, rows_kept
from webapp.jobs.models import Job
from webapp.media.actions import drop_unused
from webapp.media.models import Blob


def _old_exports(before: datetime) -> Iterator[QuerySet[Job]]:
    yield Job.objects.filter(state=Job.State.DONE, result__has_key="blob", finished_at__lt=before)


def _forget_exports(exports: QuerySet[Any]) -> None:
    blobs = {str(result["blob"]) for result in exports.values_list("result", flat=True)}
    exports.delete()
    # The same samples exported twice are one file: it goes with the last.
    offered = Job.objects.filter(result__blob__in=blobs).values_list("result__blob", flat=True)
    drop_unused({UUID(blob) for blob in blobs - set(offered)})


def _n_file_bytes() -> int:
    offered = Job.objects.filter(result__has_key="blob").values_list("result__blob", flat=True)
    total = Blob.objects.filter(pk__in=set(offered)).aggregate(n_bytes=Sum("size"))["n_bytes"]
    return int(total or 0)


keeps(
    rows_kept(
        "exports", "Exports that are offered", (), _old_exports, _n_file_bytes,
        delete=_forget_exports,
    )
)  # fmt: skip
