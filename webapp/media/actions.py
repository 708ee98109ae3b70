"""Storing files by their content."""

import hashlib
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.fields.reverse_related import ForeignObjectRel

from webapp.accounts.models import Organization
from webapp.media.models import Blob


@dataclass(frozen=True, slots=True)
class NewFile:
    """A small file that is to be stored with others."""

    content: bytes
    content_type: str
    organization_id: UUID
    at: datetime


def put_blob(
    content: bytes, *, content_type: str, organization: Organization, at: datetime
) -> Blob:
    """Store the bytes, once an organization however often they come; return their row.

    The file is there before the row is committed, so no row ever points at nothing; a crash in
    between leaves a file that the next upload of the same bytes takes over.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    path = Blob(organization=organization, sha256=sha256).path
    _store(path, ContentFile(content), len(content))
    blob, _ = Blob.objects.get_or_create(
        organization=organization,
        sha256=sha256,
        defaults={"content_type": content_type, "size": len(content), "created_at": at},
    )
    return blob


def put_blobs(files: Sequence[NewFile]) -> list[Blob]:
    """Store many small files as `put_blob` does one, with as few questions as for one."""
    rows = [
        Blob(
            organization_id=file.organization_id,
            sha256=hashlib.sha256(file.content).hexdigest(),
            content_type=file.content_type,
            size=len(file.content),
            created_at=file.at,
        )
        for file in files
    ]
    for row, file in zip(rows, files, strict=True):
        _store(row.path, ContentFile(file.content), row.size)
    Blob.objects.bulk_create(rows, ignore_conflicts=True)
    found = Blob.objects.filter(
        organization__in={row.organization_id for row in rows},
        sha256__in={row.sha256 for row in rows},
    )
    stored = {(blob.organization_id, blob.sha256): blob for blob in found}
    return [stored[row.organization_id, row.sha256] for row in rows]


def put_chunks(
    chunks: Iterable[bytes], *, content_type: str, organization: Organization, at: datetime
) -> Blob:
    """Store a large file as `put_blob` does a small one, in the memory of a chunk."""
    digest, size = hashlib.sha256(), 0
    with tempfile.TemporaryFile() as spool:  # its name in the store is known at its end
        for chunk in chunks:
            digest.update(chunk)
            spool.write(chunk)
            size += len(chunk)
        spool.seek(0)
        sha256 = digest.hexdigest()
        _store(Blob(organization=organization, sha256=sha256).path, File(spool), size)
    blob, _ = Blob.objects.get_or_create(
        organization=organization,
        sha256=sha256,
        defaults={"content_type": content_type, "size": size, "created_at": at},
    )
    return blob


def drop_blob(blob: Blob) -> None:
    """Forget a blob that nothing owns any more: the row now, the file once that is committed."""
    path = blob.path
    blob.delete()
    transaction.on_commit(lambda: default_storage.delete(path))


@transaction.atomic
def drop_unused(blob_ids: Collection[UUID]) -> None:
    """Forget those of these blobs that no row of any table points at."""
    for blob in unused(Blob.objects.filter(pk__in=blob_ids)):
        drop_blob(blob)


def unused(blobs: QuerySet[Blob]) -> QuerySet[Blob]:
    """Return those of these blobs that no row of any table points at."""
    for relation in Blob._meta.get_fields(include_hidden=True):  # noqa: SLF001 - Django's door
        if isinstance(relation, ForeignObjectRel):
            blobs = blobs.exclude(_points_here(relation))
    return blobs


def _points_here(relation: ForeignObjectRel) -> Exists:
    model = relation.related_model
    assert not isinstance(model, str)
    return Exists(model._default_manager.filter(**{relation.field.name: OuterRef("pk")}))  # noqa: SLF001 - same


def _store(path: str, content: File[bytes], size: int) -> None:
    """Write the file unless it is there; half of one, from another store's crash, is replaced."""
    if default_storage.exists(path) and default_storage.size(path) == size:
        return
    default_storage.save(path, content)
