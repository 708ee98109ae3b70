"""The tier on Ray Serve answers as the tier alone does: the same bundle, the same picture.

Ray is larger than all the rest together and must not be in the project's environment, so it is run
in one of its own, by the interpreter that FARWATCH_RAY_PYTHON names (`make ray`). It takes a minute
and 1 GB.
"""

import os
from pathlib import Path

import cv2
import httpx
import psutil
import pytest
import yaml

from benchmarks.tier_path import servers
from processing.inference.bundle import Bundle
from processing.inference.engine import Engine
from processing.tier.judging.decoding import decode
from tests.processing.tiny_bundle import make_tiny_bundle, picture

PYTHON = os.environ.get("FARWATCH_RAY_PYTHON", "")
DEPLOY = Path(__file__).parents[3] / "deploy" / "ray"

needs_ray = pytest.mark.skipif(not PYTHON, reason="FARWATCH_RAY_PYTHON names no interpreter")


@needs_ray
@pytest.mark.timeout(240)
def test_it_answers_as_the_engine_does_and_leaves_nothing(tmp_path: Path) -> None:
    bundle = make_tiny_bundle(tmp_path / "tiny")
    (tmp_path / "bundles").mkdir()
    bundle.rename(tmp_path / "bundles" / "tiny")
    (tmp_path / "pictures").mkdir()
    jpeg = cv2.imencode(".jpg", picture(("green", 3, 3), ("red", 6, 1)))[1].tobytes()
    (tmp_path / "pictures" / "a.jpg").write_bytes(jpeg)
    with servers.ray(Path(PYTHON), "tiny", tmp_path) as ray:
        servers.wait_for_answer(ray, tmp_path / "pictures")
        address = f"http://127.0.0.1:{ray.port}"
        headers = {"Content-Type": "image/jpeg"}
        judged = httpx.post(f"{address}/api/v1/detect/", content=jpeg, headers=headers).json()
        unknown = httpx.post(f"{address}/api/v1/detect/?model=none", content=jpeg, headers=headers)
        ready = httpx.get(f"{address}/v2/models/tiny/ready")
        children = ray.process.children(recursive=True)
        assert any("haproxy" in " ".join(each.cmdline()) for each in children)
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    assert unknown.status_code == 404
    assert ready.status_code == 200
    opened = Bundle.open(tmp_path / "bundles" / "tiny")
    assert judged["version"] == opened.digest.hex()
    engine = Engine.open(opened)
    found = engine.detect(decode(jpeg, opened.manifest.input).frame)
    engine.close()
    expected = [
        (opened.manifest.labels[label], box)
        for label, box in zip(found.labels.tolist(), (found.xyxy / 64).tolist(), strict=True)
    ]
    assert sorted(each["name"] for each in judged["detections"]) == sorted(
        name for name, _ in expected
    )
    for each in judged["detections"]:
        assert each["box"] == pytest.approx(dict(expected)[each["name"]], abs=1e-3)


def test_both_ways_to_deploy_it_say_the_same() -> None:
    alone = yaml.safe_load((DEPLOY / "serve.yaml").read_text())
    service = yaml.safe_load((DEPLOY / "kuberay.yaml").read_text())
    inside = yaml.safe_load(service["spec"]["serveConfigV2"])
    (ours,), (theirs,) = alone["applications"], inside["applications"]
    assert ours["import_path"] == theirs["import_path"] == "processing.tier.on_ray:application"
    (tier,), (same,) = ours["deployments"], theirs["deployments"]
    shared = ("max_ongoing_requests", "max_queued_requests", "autoscaling_config")
    assert {name: tier[name] for name in shared} == {name: same[name] for name in shared}
    containers = service["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]
    settings = {each["name"]: each["value"] for each in containers["containers"][0]["env"]}
    assert settings["RAY_SERVE_ENABLE_HA_PROXY"] == "1"
    assert settings["RAY_SERVE_THROUGHPUT_OPTIMIZED"] == "1"
    assert ours["runtime_env"]["env_vars"].items() <= settings.items() | {
        (name, value)
        for name, value in ours["runtime_env"]["env_vars"].items()
        if name.endswith(("_FILE", "_URL"))
    }
