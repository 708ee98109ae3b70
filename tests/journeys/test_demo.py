"""`make demo`: one command to a login, Ctrl-C to stop, and the same data at the next start."""

import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.journeys.ledger import n_stored
from tests.journeys.processes import PATIENCE_S, ROOT, Hub, wait_for
from tests.ports import free_port

READY: Final = re.compile(r"^READY (?P<url>\S+) user=(?P<user>\S+) password=(?P<password>\S+)$")
READY_TIMEOUT_S: Final = 120.0


class Demo:
    """The supervisor as `make demo` starts it."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.port = free_port()
        self.lines: list[str] = []
        command = [sys.executable, "-m", "deploy.demo", "--port", str(self.port)]
        self._process = subprocess.Popen(
            [*command, "--data-dir", str(data_dir), *options],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        """Keep every line, and show it where a test fails: a log that nobody reads stops it."""
        assert self._process.stdout is not None
        with self._process.stdout as log:
            for line in log:
                self.lines.append(line)

    def wait_for_line(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """Return the first line of the log that matches."""

        def found() -> re.Match[str] | None:
            if not self._reader.is_alive():
                raise AssertionError("".join(self.lines))
            return next(filter(None, map(pattern.search, tuple(self.lines))), None)

        return wait_for(f"a line like {pattern.pattern}", found, timeout_s=READY_TIMEOUT_S)

    def press_ctrl_c(self) -> int:
        """Interrupt, and return the exit status."""
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError("the demo did not stop") from None

    def kill(self) -> None:
        if self._process.poll() is None:
            self.press_ctrl_c()
        self._reader.join(PATIENCE_S)
        sys.stdout.write("".join(self.lines))  # pytest shows it where a test failed


def health_at(url: str) -> dict[str, Any]:
    answer = httpx.get(url + "healthz", trust_env=False, timeout=PATIENCE_S)
    return dict(answer.json())


def wait_for_tier(url: str) -> None:
    """Wait until the hub has heard of its inference tier."""
    wait_for("its tier is there", lambda: health_at(url)["tier_lag_s"] is not None)


def log_in(ready: re.Match[str]) -> httpx.Response:
    """Return the page that follows the login which the demo printed."""
    with httpx.Client(
        base_url=ready["url"], follow_redirects=True, trust_env=False, timeout=PATIENCE_S
    ) as client:
        client.get("/login/").raise_for_status()
        form = {
            "username": ready["user"],
            "password": ready["password"],
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
        }
        return client.post("/login/", data=form, headers={"Referer": ready["url"]})


def test_it_works_and_the_next_start_goes_on(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    counts, passwords = [], set()
    for _ in range(2):
        demo = Demo(data_dir)
        try:
            ready = demo.wait_for_line(READY)
            health = health_at(ready["url"])
            assert health["status"] == "ok"
            assert health["newest_result_at"]
            assert "Street" in log_in(ready).text
            wait_for_tier(ready["url"])
            assert demo.press_ctrl_c() == 0
        finally:
            demo.kill()
        passwords.add(ready["password"])
        counts.append(n_stored(stopped_hub(tmp_path, data_dir)))
    assert len(passwords) == 1
    assert counts[1] > counts[0] > 0


def test_a_file_that_is_no_video_is_said_so_and_nothing_stops(tmp_path: Path) -> None:
    (tmp_path / "letter.mp4").write_text("Dear all")
    demo = Demo(tmp_path / "data", "--camera", str(tmp_path / "letter.mp4"))
    try:
        demo.wait_for_line(re.compile("letter.mp4 is not a video"))
        url = f"http://127.0.0.1:{demo.port}/"
        wait_for("its agent is there", lambda: health_at(url)["n_agents_online"] == 1)
        assert demo.press_ctrl_c() == 0
    finally:
        demo.kill()


@pytest.mark.parametrize(
    ("options", "reason"),
    [(["--camera", "/no/such/file.mp4"], "no such file"), (["--port", "70000"], "is no port")],
)
def test_what_cannot_work_is_refused_in_words(options: list[str], reason: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.demo", *options],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert reason in done.stdout


def stopped_hub(tmp_path: Path, data_dir: Path) -> Hub:
    """Return the demo's hub, to read its table."""
    database = data_dir / "hub.sqlite3"
    return Hub(tmp_path / f"reader-{time.monotonic_ns()}", database_url=f"sqlite:///{database}")
