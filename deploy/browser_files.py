"""Fetch the third-party files that pages load: `python -m deploy.browser_files`.

npm installs what `package-lock.json` pins (by hash) into `node_modules/`; the few files that pages
load are copied to `static/vendor/NAME/`, each with its licence. Running it again does nothing.
"""

import hashlib
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.npm import NpmFailed, run_npm

ROOT: Final = Path(__file__).resolve().parent.parent
VENDOR: Final = ROOT / "static" / "vendor"
STAMP: Final = VENDOR / ".stamp"

FILES: Final[Mapping[str, Mapping[str, str]]] = {
    "htmx": {
        "htmx.min.js": "htmx.org/dist/htmx.min.js",
        "LICENSE": "htmx.org/LICENSE",
    },
    "uplot": {
        "uplot.js": "uplot/dist/uPlot.esm.js",
        "uplot.css": "uplot/dist/uPlot.min.css",
        "LICENSE": "uplot/LICENSE",
    },
    "annotorious": {
        "annotorious.js": "@annotorious/annotorious/dist/annotorious.es.js",
        "annotorious.css": "@annotorious/annotorious/dist/annotorious.css",
        # It ships no licence text; its package.json names the licence (BSD-3-Clause) and authors.
        "package.json": "@annotorious/annotorious/package.json",
    },
}
"""Folder under `static/vendor/` -> file there -> file under `node_modules/`."""


def fingerprint(root: Path) -> str:
    """Return what the copied files depend on, as one hash."""
    parts = (root / "package-lock.json", root / "package.json", Path(__file__))
    return hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()


def is_current(root: Path, stamp: Path) -> bool:
    """Return whether every file is there and made of today's lock file."""
    if not stamp.is_file() or stamp.read_text() != fingerprint(root):
        return False
    return all((stamp.parent / name / file).is_file() for name in FILES for file in FILES[name])


def copy_files(modules: Path, vendor: Path) -> int:
    """Copy every named file out of `modules`; return how many."""
    wanted = [
        (modules / source, vendor / name / file)
        for name, files in FILES.items()
        for file, source in files.items()
    ]
    shutil.rmtree(vendor, ignore_errors=True)
    for source, target in wanted:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return len(wanted)


def main() -> int:
    """Bring `static/vendor/` up to date; return the exit status."""
    if is_current(ROOT, STAMP):
        return 0
    try:
        run_npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=ROOT)
    except NpmFailed as error:
        print(f"browser files: {error}", file=sys.stderr)
        return 1
    n_files = copy_files(ROOT / "node_modules", VENDOR)
    STAMP.write_text(fingerprint(ROOT))
    print(f"browser files: {n_files} files in {VENDOR.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
