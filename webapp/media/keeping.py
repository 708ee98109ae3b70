"""How long pictures and clips are kept that nothing needs any more."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from webapp.common.keeping import keeps, rows_kept
from webapp.media.actions import drop_unused, unused
from webapp.media.models import Blob


def _old_strays(before: datetime) -> Iterator[QuerySet[Blob]]:
    """Yield files without a row; exports, which jobs name by their result, are no pictures."""
    strays = (
        Q(content_type__startswith="image/")
        | Q(content_type__startswith="video/")
        | Q(content_type="application/octet-stream")  # sent to be imported, and called off
    )
    yield unused(Blob.objects.filter(strays, created_at__lt=before))


def _forget_strays(blobs: QuerySet[Any]) -> None:
    drop_unused(set(blobs.values_list("pk", flat=True)))


keeps(
    rows_kept(
        "files", "Pictures and clips that nothing needs", (Blob,), _old_strays,
        delete=_forget_strays,
    )
)  # fmt: skip
