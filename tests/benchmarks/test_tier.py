"""What the tier benchmark asks a tier is answered by a real one."""

from pathlib import Path

import cv2
import pytest

from benchmarks.__main__ import main
from benchmarks.tier_path import servers
from benchmarks.tier_path.bare import run_bare
from benchmarks.tier_path.pictures import take_pictures
from tests.processing.tiny_bundle import make_tiny_bundle, picture


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with what the tier is asked about."""
    source, chosen = tmp_path / "source", tmp_path / "chosen"
    source.mkdir()
    chosen.mkdir()
    cv2.imwrite(str(source / "a.jpg"), picture(("green", 3, 3)))
    assert take_pictures(source, chosen) > 0
    return chosen


def test_a_tier_is_asked_and_stopped_and_asked_again(tmp_path: Path, pictures: Path) -> None:
    bundle = make_tiny_bundle(tmp_path / "tiny")
    with servers.tier(bundle, "tiny", tmp_path) as tier:
        servers.wait_for_answer(tier, pictures)
        for load in ({"n_open": 4}, {"per_s": 20.0}):
            with tier.awake():
                asked = tier.ask(pictures, seconds=0.5, budget_ms=30_000.0, **load)
            assert asked.counted.n_good == asked.counted.n_sent > 0
            assert asked.cpu_s > 0.0


def test_the_bare_engine_looks_at_them_too(tmp_path: Path, pictures: Path) -> None:
    bare = run_bare(make_tiny_bundle(tmp_path / "tiny"), pictures, 0.2)
    assert bare.n > 0
    assert bare.cpu_ms > 0.0


def test_without_a_bundle_it_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tier", "--quick", "--bundle", str(tmp_path / "none")]) == 1
    assert "no bundle at" in capsys.readouterr().err
