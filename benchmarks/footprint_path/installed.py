"""The agent installed alone: a fresh environment with the `edge` extra and nothing else."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.harness.benchmark import CannotMeasure

ROOT: Final = Path(__file__).resolve().parents[2]
_REQUIREMENTS: Final = ROOT / "requirements" / "edge.txt"
_INSTALL_S: Final = 900.0
_RUN_S: Final = 120.0
_TOOLS: Final = ("pip", "setuptools")
"""What a new environment holds anyway."""
_FLOOR: Final = "import openvino, cv2, av, numpy"
_PRODUCT: Final = "import edge_agent.app"

_SIZES: Final = """
import json
from importlib.metadata import distributions
sizes = {}
for found in distributions():
    files = [found.locate_file(path) for path in found.files or ()]
    sizes[found.name] = sum(path.stat().st_size for path in files if path.is_file())
print(json.dumps(sizes))
"""
_IMPORT: Final = """
import time
begun = time.perf_counter()
{statement}
took_s = time.perf_counter() - begun
with open("/proc/self/statm") as file:
    pages = int(file.read().split()[1])
import json, os
print(json.dumps([took_s, pages * os.sysconf("SC_PAGE_SIZE") / 1e6]))
"""
_FOREIGN: Final = """
import json, sys
import edge_agent.app
print(json.dumps(sorted({"django", "torch", "channels", "nncf", "onnx"} & set(sys.modules))))
"""


class Environment:
    """A virtual environment. Raises `CannotMeasure` when one cannot be made or used."""

    def __init__(self, folder: Path) -> None:
        """Install into a folder that is not there yet, which may download 120 MB."""
        self.python: Final = folder / "bin" / "python"
        self._run([sys.executable, "-m", "venv", str(folder)], timeout_s=_INSTALL_S)
        command = [str(self.python), "-m", "pip", "install", "--quiet", "--require-hashes"]
        command += ["--disable-pip-version-check", "--requirement", str(_REQUIREMENTS)]
        self._run(command, timeout_s=_INSTALL_S)

    def sizes_mb(self) -> dict[str, float]:
        """Return how large each package is, the largest first; pip is not among them."""
        found = msgspec.json.decode(self._python(_SIZES), type=dict[str, int])
        packages = {name: n / 1e6 for name, n in found.items() if name not in _TOOLS}
        return dict(sorted(packages.items(), key=lambda item: -item[1]))

    def import_product(self) -> tuple[float, float]:
        """Return seconds and MB of RAM of a process that imports the whole agent."""
        return self._import(_PRODUCT)

    def import_floor(self) -> tuple[float, float]:
        """Return the same of one that imports the four libraries that it cannot do without."""
        return self._import(_FLOOR)

    def foreign_modules(self) -> list[str]:
        """Return what the agent imports and must not."""
        return msgspec.json.decode(self._python(_FOREIGN), type=list[str])

    def _import(self, statement: str) -> tuple[float, float]:
        out = self._python(_IMPORT.format(statement=statement))
        return msgspec.json.decode(out, type=tuple[float, float])

    def _python(self, code: str) -> bytes:
        return self._run([str(self.python), "-c", code], timeout_s=_RUN_S)

    def _run(self, command: list[str], *, timeout_s: float) -> bytes:
        try:
            done = subprocess.run(
                command, cwd=ROOT, capture_output=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise CannotMeasure(f"{command[:4]} took longer than {timeout_s:.0f} s") from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()[-1000:]
            raise CannotMeasure(f"{' '.join(command[:4])} failed: {said}")
        return done.stdout
