"""Only whole bundles open; whatever is wrong is said in words."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.inference.bundle import (
    MANIFEST,
    SIGNATURE,
    Bundle,
    BundleCorrupt,
    BundleUnreadable,
    parse_manifest,
)
from processing.inference.manifest import MAX_MANIFEST_BYTES
from tests.processing.tiny_bundle import LABELS, make_tiny_bundle

Edit = Callable[[dict[str, Any]], None]


def edit(folder: Path, change: Edit) -> None:
    manifest = json.loads((folder / MANIFEST).read_bytes())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_it_works(folder: Path) -> None:
    bundle = Bundle.open(folder)
    assert bundle.manifest.labels == LABELS
    assert bundle.digest == hashlib.sha256((folder / MANIFEST).read_bytes()).digest()[:16]
    assert bundle.signature is None


def test_a_signature_beside_the_manifest_is_kept_for_whoever_checks_it(folder: Path) -> None:
    (folder / SIGNATURE).write_bytes(b"signed")
    assert Bundle.open(folder).signature == b"signed"


def test_fields_of_a_later_version_are_ignored(folder: Path) -> None:
    edit(folder, lambda manifest: manifest.update(colour_of_the_box="brown"))
    assert Bundle.open(folder).manifest.name == "tiny"


@pytest.mark.parametrize("where", [0, 1000, -1])
def test_one_flipped_byte_is_noticed(folder: Path, where: int) -> None:
    network = folder / "network.onnx"
    content = bytearray(network.read_bytes())
    content[where] ^= 1
    network.write_bytes(content)
    with pytest.raises(BundleCorrupt, match=r"network\.onnx is damaged"):
        Bundle.open(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "network.onnx").unlink()
    with pytest.raises(BundleCorrupt, match=r"network\.onnx is missing"):
        Bundle.open(folder)


def test_a_file_cut_short_is_named(folder: Path) -> None:
    os.truncate(folder / "network.onnx", 10)
    with pytest.raises(BundleCorrupt, match=r"network\.onnx has 10 bytes instead of \d+"):
        Bundle.open(folder)


def test_a_file_that_nobody_named_is_refused(folder: Path) -> None:
    (folder / "extra.bin").write_bytes(b"weights of somebody else")
    with pytest.raises(BundleCorrupt, match=r"extra\.bin, which the manifest does not name"):
        Bundle.open(folder)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(BundleUnreadable, match="not a folder"):
        Bundle.open(tmp_path / "nothing")


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(BundleUnreadable, match=r"no manifest\.json"):
        Bundle.open(tmp_path)


def test_a_manifest_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).mkdir()
    with pytest.raises(BundleUnreadable, match="not a regular file"):
        Bundle.open(tmp_path)


def test_a_pipe_does_not_stall_it(folder: Path) -> None:
    (folder / "network.onnx").unlink()
    os.mkfifo(folder / "network.onnx")
    with pytest.raises(BundleCorrupt, match="not a regular file"):
        Bundle.open(folder)


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret", "a/../../b", "a//b", ".hidden", ""])
def test_paths_that_leave_the_folder_are_refused(folder: Path, path: str) -> None:
    edit(folder, lambda manifest: manifest["artifacts"][0]["files"][0].update(path=path))
    with pytest.raises(BundleUnreadable, match="path"):
        Bundle.open(folder)


def test_a_linked_file_is_refused(folder: Path, tmp_path: Path) -> None:
    network = folder / "network.onnx"
    network.rename(tmp_path / "elsewhere.onnx")
    network.symlink_to(tmp_path / "elsewhere.onnx")
    with pytest.raises(BundleCorrupt, match="is a link"):
        Bundle.open(folder)


def test_a_linked_folder_inside_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (folder / "inside").symlink_to(tmp_path / "outside")
    with pytest.raises(BundleCorrupt, match="is a link"):
        Bundle.open(folder)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: m.update(labels="person"), "labels"),
        (lambda m: m.update(labels=[]), "length"),
        (lambda m: m["input"].update(width=63), "width"),
        (lambda m: m["input"].update(scale=[0, 1, 1]), "scale"),
        (lambda m: m["input"].update(resize="crop"), "resize"),
        (lambda m: m["head"].update(kind="oracle"), "oracle"),
        (lambda m: m["thresholds"].update(score_floor=2), "score_floor"),
        (lambda m: m["artifacts"][0]["files"][0].update(sha256="abc"), "sha256"),
        (lambda m: m["artifacts"][0]["files"][0].update(size=-1), "size"),
        (lambda m: m["artifacts"].clear(), "artifacts"),
        (lambda m: m.update(format=2), "format 2"),
        (lambda m: m.pop("input"), "input"),
    ],
)
def test_the_field_at_fault_is_named(folder: Path, change: Edit, says: str) -> None:
    edit(folder, change)
    with pytest.raises(BundleUnreadable, match=says):
        Bundle.open(folder)


def test_a_huge_manifest_is_not_read(folder: Path) -> None:
    with (folder / MANIFEST).open("ab") as manifest:
        manifest.write(b" " * MAX_MANIFEST_BYTES)
    with pytest.raises(BundleUnreadable, match="larger than"):
        Bundle.open(folder)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise_anything_else(content: bytes) -> None:
    with pytest.raises(BundleUnreadable):
        parse_manifest(content)


def test_deeply_nested_json_is_refused() -> None:
    with pytest.raises(BundleUnreadable):
        parse_manifest(b'{"format": 1, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def test_the_same_content_has_the_same_digest_elsewhere(folder: Path, tmp_path: Path) -> None:
    assert Bundle.open(make_tiny_bundle(tmp_path / "b")).digest == Bundle.open(folder).digest
