"""The house rules that no linter knows."""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOP_LEVEL = {
    "webapp", "edge_agent", "processing", "templates", "static", "tests", "manage.py",
    "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "NOTICE", "SECURITY.md",
    "CONTRIBUTING.md", "Makefile", "requirements", "package.json", "package-lock.json", "docs",
    "deploy", "benchmarks",
}  # fmt: skip
MAX_LINES = 500
VAGUE = {"utils", "helpers", "helper", "manager", "service", "services", "misc", "base"}


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [ROOT / line for line in listed.splitlines() if (ROOT / line).is_file()]


def test_top_level_holds_what_was_agreed_and_nothing_else() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_no_file_is_longer_than_one_sitting() -> None:
    long = {
        str(path.relative_to(ROOT)): n_lines
        for path in tracked("*.py", "*.js", "*.css", "*.html")
        if "migrations" not in path.parts
        and (n_lines := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert long == {}


def test_every_package_says_in_one_sentence_what_it_is_for() -> None:
    for path in tracked("*/__init__.py"):
        if "migrations" in path.parts or "management" in path.parts or "tests" in path.parts:
            continue
        assert ast.get_docstring(ast.parse(path.read_text())), path


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [path for path in tracked("*.py") if path.stem in VAGUE] == []


def test_locks_name_no_registry_and_no_torch() -> None:
    for path in tracked("requirements/*.txt"):
        text = path.read_text()
        assert not re.search(r"https?://|--(extra-)?index-url", text), path
        assert not re.search(r"^torch==", text, re.MULTILINE), path
    for path in tracked("package-lock.json"):
        assert '"resolved"' not in path.read_text()


def test_migrations_are_linear_and_named() -> None:
    for folder in ROOT.glob("webapp/*/migrations"):
        numbers = [path.name.split("_")[0] for path in folder.glob("[0-9]*.py")]
        assert len(numbers) == len(set(numbers)), folder
        assert not list(folder.glob("*_auto_*.py")), folder
