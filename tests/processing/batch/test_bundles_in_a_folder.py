"""What a folder of bundles holds, and one of them, verified."""

from pathlib import Path

import pytest

from processing.batch.bundles import NoSuchBundle, find_bundle, found_bundles
from processing.inference.bundle import Bundle, BundleCorrupt
from tests.processing.tiny_bundle import LABELS, make_tiny_bundle


def test_it_works(tmp_path: Path) -> None:
    made = Bundle.open(make_tiny_bundle(tmp_path / "a"))
    (tmp_path / "notes.txt").write_text("no bundle")
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{}")
    (found,) = found_bundles(tmp_path)
    assert (found.name, found.version, found.labels) == ("tiny", "1", LABELS)
    assert find_bundle(tmp_path, found.digest).digest == made.digest


def test_a_folder_that_is_not_there_holds_none(tmp_path: Path) -> None:
    assert list(found_bundles(tmp_path / "nowhere")) == []


def test_an_unknown_digest_is_refused(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "a")
    with pytest.raises(NoSuchBundle):
        find_bundle(tmp_path, b"\0" * 16)


def test_a_bundle_whose_files_changed_is_not_opened(tmp_path: Path) -> None:
    folder = make_tiny_bundle(tmp_path / "a")
    (found,) = found_bundles(tmp_path)
    (folder / "LICENSE").write_text("Something else entirely.\n")
    with pytest.raises(BundleCorrupt):
        find_bundle(tmp_path, found.digest)
