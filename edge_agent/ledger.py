"""What the agent says it made, written outside the outbox: for tests that look for loss.

Plain lines, one `write` each, to a file opened for appending:

    intent CAMERA CAPTURED_AT DIGEST                    before the outbox is asked to keep a result
    made EPOCH LANE SEQ CAMERA CAPTURED_AT DIGEST       once it is on disk

An agent killed between the two may have kept a result that has no `made` line: that one is neither
lost nor invented. `CAPTURED_AT` is ISO 8601 in UTC with microseconds; `DIGEST` is the start (32 hex
digits) of the sha256 of the packed detections.
"""

import hashlib
import os
from datetime import UTC
from pathlib import Path

from processing.wire.messages import Result


class Ledger:
    """An open ledger; any thread may write."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def intend(self, result: Result) -> None:
        """Note a result that is about to be appended."""
        os.write(self._file, f"intent {_describe(result)}\n".encode())

    def made(self, result: Result, *, epoch: int, seq: int) -> None:
        """Note a result that is on disk."""
        os.write(self._file, f"made {epoch} results {seq} {_describe(result)}\n".encode())

    def close(self) -> None:
        os.close(self._file)


def _describe(result: Result) -> str:
    at = result.captured_at.astimezone(UTC).isoformat(timespec="microseconds")
    digest = hashlib.sha256(result.detections).hexdigest()[:32]
    return f"{result.camera_id} {at} {digest}"
