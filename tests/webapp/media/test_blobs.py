"""Files are stored once, by their content, whole or not at all."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests.factories import START, make_organization
from webapp.accounts.models import Organization
from webapp.media.actions import drop_blob, put_blob
from webapp.media.models import Blob
from webapp.media.queries import BlobLost, read_blob
from webapp.media.storage import DurableFolder


def put(content: bytes, organization: Organization) -> Blob:
    return put_blob(content, content_type="image/jpeg", organization=organization, at=START)


def test_it_works(acme: Organization) -> None:
    blob = put(b"picture one", acme)
    assert read_blob(blob) == b"picture one"
    assert blob.sha256 == hashlib.sha256(b"picture one").hexdigest()
    assert (blob.size, blob.content_type) == (11, "image/jpeg")


def test_the_same_bytes_are_stored_once_an_organization(acme: Organization) -> None:
    assert put(b"picture two", acme) == put(b"picture two", acme)
    other = put(b"picture two", make_organization())
    assert Blob.objects.count() == 2
    assert other.path != put(b"picture two", acme).path


def test_half_a_file_from_a_crash_is_written_anew(acme: Organization) -> None:
    blob = put(b"picture three", acme)
    Path(default_storage.path(blob.path)).write_bytes(b"pict")
    put(b"picture three", acme)
    assert read_blob(blob) == b"picture three"


def test_a_file_that_is_gone_is_named(acme: Organization) -> None:
    blob = put(b"picture four", acme)
    default_storage.delete(blob.path)
    with pytest.raises(BlobLost, match="is not in the store"):
        read_blob(blob)


@pytest.mark.django_db(transaction=True)
def test_what_nobody_owns_is_dropped_once_that_is_committed(acme: Organization) -> None:
    blob = put(b"picture five", acme)
    path = blob.path
    drop_blob(blob)
    assert not default_storage.exists(path)


def test_a_store_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    class Failing(ContentFile[bytes]):
        def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
            yield b"half"
            raise OSError("disk full")

    folder = DurableFolder(location=tmp_path)
    with pytest.raises(OSError, match="disk full"):
        folder.save("a/b", Failing(b"half and half"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_files_are_readable_by_their_user_alone(acme: Organization) -> None:
    blob = put(b"picture six", acme)
    assert Path(default_storage.path(blob.path)).stat().st_mode & 0o077 == 0
