"""An operator's page, fetched again and again while the hub has other worries."""

import threading
import time
from math import ceil
from typing import Final

import httpx

_EVERY_S: Final = 0.25
_PATIENCE_S: Final = 30.0


class Looking:
    """A thread that fetches the overview; only answers count once the first one came."""

    def __init__(self, port: int, session_key: str) -> None:
        self._url = f"http://127.0.0.1:{port}/"
        self._cookies = {"sessionid": session_key}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.seconds: list[float] = []
        """Of each answer; one that did not come took as long as was waited for it."""
        self.first_at: float | None = None
        """When the page was there again, by `time.time`."""

    def quantile(self, share: float) -> float:
        """Return what this share of the answers took no longer than, in seconds."""
        in_order = sorted(self.seconds) or [float("nan")]
        return in_order[ceil(share * len(in_order)) - 1]

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._stopping.set()
        self._thread.join(_PATIENCE_S + 5.0)

    def _look(self) -> None:
        with httpx.Client(
            cookies=self._cookies, timeout=_PATIENCE_S, trust_env=False, follow_redirects=False
        ) as client:
            while not self._stopping.wait(_EVERY_S):
                begun = time.perf_counter()
                try:
                    is_there = client.get(self._url).status_code == httpx.codes.OK
                except httpx.TransportError:
                    is_there = False
                if is_there and self.first_at is None:
                    self.first_at = time.time()
                if self.first_at is not None:
                    self.seconds.append(time.perf_counter() - begun if is_there else _PATIENCE_S)
