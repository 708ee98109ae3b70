"""The INT8 form of a network finds what the network finds, and nobody is told about it."""

import sys
from dataclasses import replace
from pathlib import Path

from msgspec.structs import replace as with_fields

from processing.inference.bundle import Bundle
from processing.inference.engine import Engine, best_artifact
from processing.inference.manifest import Artifact
from processing.inference.quantize import quantize
from tests.processing.tiny_bundle import LABELS, file_of, frame


def test_it_works(folder: Path) -> None:
    bundle = Bundle.open(folder)
    frames = [frame((LABELS[n % 3], n % 8, n % 5), ("red", 7 - n % 8, 6)) for n in range(24)]
    quantize(
        folder / "network.onnx", folder / "int8.xml", spec=bundle.manifest.input, frames=frames
    )
    files = (file_of(folder, "int8.xml"), file_of(folder, "int8.bin"))
    small = Artifact(runtime="openvino", precision="int8", files=files)
    manifest = with_fields(bundle.manifest, artifacts=(*bundle.manifest.artifacts, small))
    assert best_artifact(manifest) == small
    assert 'type="FakeQuantize"' in (folder / "int8.xml").read_text()
    engine = Engine.open(replace(bundle, manifest=manifest), n_requests=1)
    assert engine.detect(frame(("green", 2, 3))).labels.tolist() == [LABELS.index("green")]
    engine.close()


def test_nothing_can_report_to_the_makers_of_openvino() -> None:
    assert sys.modules["openvino_telemetry"] is None
