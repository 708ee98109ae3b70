"""All that holds for results and for how long things are kept, once more on PostgreSQL."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.needed import need_postgres

HERE = Path(__file__)
IS_SOAK = bool(os.environ.get("FARWATCH_SOAK"))


@pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="this run has its database")
def test_the_same_holds_on_postgresql() -> None:
    url = urlsplit(need_postgres())._replace(path=f"/farwatch_results_{os.getpid()}").geturl()
    run = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider",
            "--ignore", str(HERE.with_name("test_upgrade.py")),
            str(HERE.parent), str(HERE.parents[1] / "common" / "test_keeping.py"),
            str(HERE.parents[1] / "fleet" / "test_reported_figures.py"),
        ],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=3600 if IS_SOAK else 300,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
