"""Storing files by their content."""

import hashlib
from datetime import datetime

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from webapp.accounts.models import Organization
from webapp.media.models import Blob


def put_blob(
    content: bytes, *, content_type: str, organization: Organization, at: datetime
) -> Blob:
    """Store the bytes, once an organization however often they come; return their row.

    The file is there before the row is committed, so no row ever points at nothing; a crash in
    between leaves a file that the next upload of the same bytes takes over.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    _store(Blob(organization=organization, sha256=sha256).path, content)
    blob, _ = Blob.objects.get_or_create(
        organization=organization,
        sha256=sha256,
        defaults={"content_type": content_type, "size": len(content), "created_at": at},
    )
    return blob


def drop_blob(blob: Blob) -> None:
    """Forget a blob that nothing owns any more: the row now, the file once that is committed."""
    path = blob.path
    blob.delete()
    transaction.on_commit(lambda: default_storage.delete(path))


def _store(path: str, content: bytes) -> None:
    """Write the file unless it is there; half of one, from another store's crash, is replaced."""
    if default_storage.exists(path) and default_storage.size(path) == len(content):
        return
    default_storage.save(path, ContentFile(content))
