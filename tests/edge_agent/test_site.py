"""What the hub wants is brought about, with a model, and as soon as there is one."""

from pathlib import Path

import pytest

from edge_agent import model_follower
from edge_agent import site as site_module
from edge_agent.health import Health
from edge_agent.model_store import ModelStore
from edge_agent.reconcile import LastWishes
from processing.inference.pool import EnginePool
from processing.wire.messages import Result
from tests.edge_agent.site_rig import Rig, camera, desired
from tests.processing.tiny_bundle import make_tiny_bundle


async def test_it_works(tmp_path: Path) -> None:
    rig = Rig(tmp_path, make_tiny_bundle(tmp_path / "tiny"))
    rig.site.desire(desired(7, camera(1), camera(2, is_enabled=False)))
    async with rig.running():
        await rig.until(lambda: any(isinstance(entry, Result) for entry in rig.entries))
        assert rig.report.desired_version == 7
        assert rig.report.bundles[0].labels == ("blue", "green", "red")
        assert {n: state.state for n, state in rig.cameras.items()} == {1: "online", 2: "disabled"}
        rig.site.desire(desired(8, camera(3)))
        await rig.until(lambda: rig.report.desired_version == 8)
        assert set(rig.cameras) == {3}
    assert rig.kinds == []


async def test_it_starts_with_the_last_wishes_while_the_hub_is_away(tmp_path: Path) -> None:
    LastWishes(tmp_path / "desired.msgpack").write(desired(5, camera(1)))
    rig = Rig(tmp_path, make_tiny_bundle(tmp_path / "tiny"))
    async with rig.running():
        await rig.until(lambda: any(isinstance(entry, Result) for entry in rig.entries))
    assert rig.report.desired_version == 5


async def test_without_a_model_it_says_so_and_goes_on_when_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_module, "LOOK_AGAIN_S", 0.05)
    rig = Rig(tmp_path, tmp_path / "tiny")
    async with rig.running():
        rig.site.desire(desired(1, camera(1)))
        await rig.until(lambda: rig.kinds == ["model_unusable"])
        assert "no bundle" in rig.report.problems[0]
        assert rig.cameras[1].reason == "it waits for a model"
        assert rig.report.desired_version == 0  # it has not acted yet
        make_tiny_bundle(tmp_path / "tiny")
        await rig.until(lambda: any(isinstance(entry, Result) for entry in rig.entries))
        assert rig.report.problems == ()
        assert rig.kinds == ["model_unusable", "model_back"]


async def test_one_flipped_bit_keeps_a_model_from_running(tmp_path: Path) -> None:
    bundle = make_tiny_bundle(tmp_path / "tiny")
    weights = next(bundle.rglob("*.onnx"))
    content = bytearray(weights.read_bytes())
    content[100] ^= 4
    weights.write_bytes(content)
    rig = Rig(tmp_path, bundle)
    async with rig.running():
        await rig.until(lambda: rig.report.problems)
    assert "damaged" in rig.report.problems[0]


async def test_a_device_that_is_not_there_is_told_and_the_cpu_does_its_work(tmp_path: Path) -> None:
    def on_abacus(
        path: Path | None, *, device: str, cache_dir: Path, problems: Health
    ) -> ModelStore:
        return ModelStore(path, device=f"ABACUS,{device}", cache_dir=cache_dir, problems=problems)

    rig = Rig(tmp_path, make_tiny_bundle(tmp_path / "tiny"), make_store=on_abacus)
    rig.site.desire(desired(1, camera(1)))
    async with rig.running():
        await rig.until(lambda: rig.results and rig.report.problems)
        assert rig.report.bundles[0].device == "CPU"
        assert rig.report.problems[0].startswith(
            "ABACUS failed: bundle tiny 1 cannot run on ABACUS"
        )
        assert rig.report.problems[0].endswith("; the CPU does its work")


async def test_other_devices_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_follower, "LOOK_AGAIN_S", 0.05)
    rig = Rig(tmp_path, make_tiny_bundle(tmp_path / "tiny"))
    async with rig.running():
        await rig.until(lambda: rig.report.bundles)
        monkeypatch.setattr(EnginePool, "device", "GPU+CPU")
        await rig.until(lambda: rig.report.bundles[0].device == "GPU+CPU")
