"""Reading files back."""

from django.core.files.storage import default_storage

from webapp.media.models import Blob


class BlobLost(Exception):
    """The row is there, the file is not: the store was tampered with or restored in part."""


def read_blob(blob: Blob) -> bytes:
    """Return the bytes; raise `BlobLost`."""
    try:
        with default_storage.open(blob.path, "rb") as file:
            content: bytes = file.read()
    except FileNotFoundError as error:
        raise BlobLost(f"{blob.path} is not in the store") from error
    return content
