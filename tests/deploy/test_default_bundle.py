"""The default bundle is built whole, recognised when it is there, and good enough."""

import shutil
from pathlib import Path

import pytest

from deploy import bundle_metrics, default_bundle, human_models, nanodet
from deploy.bundle_steps import BuildFailed, build_bundle
from deploy.cache import cache_dir
from deploy.default_bundle import ensure_default_bundle, main
from deploy.sample_video import sample_video_path
from processing.evaluation.on_coco import SCORE_FLOOR, measure_on_coco
from processing.exchange.coco import read_coco
from processing.inference.bundle import Bundle
from processing.inference.engine import Engine, best_artifact

COCO = Path(__file__).resolve().parents[3] / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not human_models.is_fetched(cache_dir() / "human-models") or not sample_video_path().is_file(),
    reason="`make setup` has not fetched the network and the sample video",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle, built by this module's code from what set-up has fetched."""
    out = tmp_path_factory.mktemp("built") / "bundle"
    assert ensure_default_bundle(out, cache_dir())
    return out


def test_it_works(built: Path) -> None:
    bundle = Bundle.open(built)
    manifest = bundle.manifest
    assert best_artifact(manifest).title == "openvino-int8"
    assert len(manifest.labels) == 80
    assert {licence.spdx for licence in manifest.licences} == {"MIT", "Apache-2.0"}
    assert "Copyright" in bundle.locate(manifest.licences[0].file).read_text()
    assert any(metric.origin == "measured at build" for metric in manifest.metrics)
    assert [path.name for path in built.parent.iterdir()] == ["bundle"]


def test_a_second_time_it_is_only_verified(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(default_bundle, "build_bundle", None)
    assert not ensure_default_bundle(built, cache_dir())
    assert main(["--out", str(built)]) == 0


def test_a_damaged_one_is_told_and_taken_for_none(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "bundle"
    shutil.copytree(built, damaged)
    (damaged / "network.onnx").write_bytes(b"damaged")
    assert not default_bundle._is_whole(damaged)
    assert "building anew: network.onnx has" in capsys.readouterr().err


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BuildFailed, match="left as it is"):
        ensure_default_bundle(tmp_path, cache_dir())
    assert main(["--out", str(tmp_path)]) == 1
    assert (tmp_path / "thesis.txt").exists()


def test_nothing_is_left_of_a_build_that_fails(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "bundle"
    shutil.copytree(built, out)
    monkeypatch.setattr(bundle_metrics, "MIN_AGREEMENT", 1.1)
    monkeypatch.setattr("deploy.bundle_steps.quantize", _copy_quantized(built))
    with pytest.raises(BuildFailed, match="finds too little"):
        build_bundle(
            source=cache_dir() / "human-models",
            video=sample_video_path(),
            out=out,
            coco=None,
            on_step=lambda step: None,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert Bundle.open(out).manifest.name == nanodet.NAME


@pytest.mark.skipif(not COCO.is_dir(), reason="no annotated COCO pictures in ../shared/data")
def test_it_is_as_accurate_as_promised(built: Path) -> None:
    bundle = Bundle.open(built)
    artifact = best_artifact(bundle.manifest)
    engine = Engine.open(bundle.measured_with(artifact, score_floor=SCORE_FLOOR))
    dataset = read_coco((COCO / "annotations/instances_train2017_128.json").read_bytes())
    accuracy = measure_on_coco(
        engine, dataset, labels=bundle.manifest.labels, images=COCO / "images/train2017"
    )
    engine.close()
    assert accuracy.n_images == 128
    assert accuracy.map_50_95 >= 0.326


def _copy_quantized(built: Path) -> object:
    """Return a `quantize` that takes no time: its answer is known."""

    def quantize(source: Path, target: Path, **_options: object) -> None:
        for suffix in (".xml", ".bin"):
            shutil.copyfile(built / target.with_suffix(suffix).name, target.with_suffix(suffix))

    return quantize
