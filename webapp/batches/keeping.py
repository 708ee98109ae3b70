"""How long batches are kept that are over, with what came of their pictures."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, Sum

from webapp.batches.actions import drop_shards
from webapp.batches.models import Batch, Shard
from webapp.common.keeping import keeps, rows_kept
from webapp.media.actions import drop_unused
from webapp.media.models import Blob


def _old_batches(before: datetime) -> Iterator[QuerySet[Batch]]:
    yield Batch.objects.filter(finished_at__lt=before)


def _forget_batches(batches: QuerySet[Any]) -> None:
    for batch in batches:
        drop_shards(batch)
        batch.delete()
        drop_unused([batch.file_id] if batch.file_id is not None else [])


def _n_file_bytes() -> int:
    shards = Shard.objects.all()
    files = Blob.objects.filter(
        Q(pk__in=Batch.objects.exclude(file=None).values("file"))
        | Q(pk__in=shards.values("items"))
        | Q(pk__in=shards.exclude(results=None).values("results"))
    )
    return int(files.aggregate(n=Sum("size"))["n"] or 0)


keeps(
    rows_kept(
        "batches", "Batches that are over", (Batch, Shard), _old_batches, _n_file_bytes,
        delete=_forget_batches,
    )
)  # fmt: skip
