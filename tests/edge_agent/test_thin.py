"""The agent needs what the `edge` extra installs, and nothing of the hub or of training."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOREIGN = ("django", "rest_framework", "channels", "torch", "nncf", "onnx", "webapp")


@pytest.mark.parametrize(
    "module",
    [
        "edge_agent.app",
        "edge_agent.doctor",
        "edge_agent.enroll",
        "edge_agent.replay_command",
        "edge_agent.metrics.page",
    ],
)
def test_nothing_else_is_imported(module: str) -> None:
    names = f"[name for name in {FOREIGN!r} if name in sys.modules]"
    code = f"import sys, {module}; print({names}, end='')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == "[]"
