"""Where the library cannot be had, the benchmark says so instead of failing."""

from pathlib import Path

import pytest

from benchmarks.tracking_path.library import Library, NoLibrary


def test_a_home_that_is_a_file_is_no_library(tmp_path: Path) -> None:
    home = tmp_path / "taken"
    home.touch()
    with pytest.raises(NoLibrary, match="taken"):
        Library(home)


def test_a_library_that_is_broken_says_what_it_said(tmp_path: Path) -> None:
    library = Library.__new__(Library)
    library._python = tmp_path / "no-python"
    with pytest.raises(NoLibrary, match="no-python"):
        library.follow([], "as_ours")
