"""KServe's own SDK, as it is, against our tier.

It brings 450 MB that must not be in the project's environment, so it is run in one of its own, by
the interpreter that FARWATCH_KSERVE_PYTHON names; `make clients` makes it.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import RunningTier

PYTHON = os.environ.get("FARWATCH_KSERVE_PYTHON", "")
ASKER = Path(__file__).with_name("with_kserve.py")
GREEN = 1
BOX = [20 / 64, 12 / 64, 36 / 64, 28 / 64]

pytestmark = pytest.mark.skipif(not PYTHON, reason="FARWATCH_KSERVE_PYTHON names no interpreter")


def test_every_way_to_ask_is_answered(
    running_tier: RunningTier, png: bytes, tmp_path: Path
) -> None:
    (tmp_path / "green.png").write_bytes(png)
    run = subprocess.run(
        [
            PYTHON,
            str(ASKER),
            running_tier.http,
            running_tier.grpc,
            running_tier.model,
            str(tmp_path / "green.png"),
        ],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout.splitlines()[-1])
    for way, forms in (("rest", ("binary", "text")), ("grpc", ("binary",))):
        assert [told[way][name] for name in ("live", "ready", "model_ready")] == [True] * 3
        for form in forms:
            found = told[way][form]
            assert (found["n_found"], found["labels"]) == ([1], [[GREEN]])
            assert found["boxes"][0][0] == pytest.approx(BOX, abs=0.01)
    for form in ("pixels", "pixels_as_text"):
        assert told["rest"][form]["n_found"] == [0, 0]
    assert told["rest"]["unknown"] == 404
