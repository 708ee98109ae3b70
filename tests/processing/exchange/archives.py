"""Archives to test with."""

import io
import zipfile
from collections.abc import Iterable

from processing.exchange.archive import Archive


def zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return file.getvalue()


def opened(content: bytes) -> Archive:
    return Archive(io.BytesIO(content))
