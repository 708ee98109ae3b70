"""A frame goes in, boxes in pixels of that frame come out. The network is tiny, but real."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace as with_fields

from processing.inference.bundle import Bundle, BundleUnfit
from processing.inference.detector import InferenceFailed
from processing.inference.engine import Engine
from processing.inference.heads.nanodet import Level, NanodetHead
from processing.inference.input_spec import ResizeMode
from processing.media.colour import frame_from_bgr
from tests.processing.tiny_bundle import AT, LABELS, frame, make_tiny_bundle, picture


def test_it_works(engine: Engine) -> None:
    found = engine.detect(frame(("red", 2, 1), ("blue", 5, 6)))
    seen = {LABELS[label]: box for label, box in zip(found.labels, found.xyxy, strict=True)}
    assert seen.keys() == {"red", "blue"}
    # Cell (2, 1) has its centre at (20, 12), less half a pixel; the box reaches a cell each way.
    np.testing.assert_allclose(seen["red"], (11.5, 3.5, 27.5, 19.5), atol=0.01)
    np.testing.assert_allclose(seen["blue"], (35.5, 43.5, 51.5, 59.5), atol=0.01)
    assert (found.scores > 0.9).all()


def test_nothing_is_found_in_the_dark(engine: Engine) -> None:
    assert len(engine.detect(frame())) == 0


def test_colours_are_not_swapped(engine: Engine) -> None:
    for label, colour in enumerate(LABELS):
        assert engine.detect(frame((colour, 3, 3))).labels.tolist() == [label]


def test_a_network_that_wants_rgb_gets_rgb(bundle: Bundle) -> None:
    manifest = bundle.manifest
    swapped = with_fields(manifest, input=with_fields(manifest.input, colour="rgb"))
    engine = Engine.open(replace(bundle, manifest=swapped), n_requests=1)
    assert engine.detect(frame(("red", 3, 3))).labels.tolist() == [LABELS.index("blue")]
    engine.close()


@pytest.mark.parametrize("resize", ["letterbox-center", "letterbox-topleft", "stretch"])
def test_boxes_come_back_in_pixels_of_a_frame_of_any_shape(
    tmp_path: Path, resize: ResizeMode
) -> None:
    engine = Engine.open(Bundle.open(make_tiny_bundle(tmp_path / "b", resize=resize)), n_requests=1)
    wide = picture(("green", 3, 2), width=640, height=320, cell=80)
    found = engine.detect(frame_from_bgr(wide, captured_at=AT))
    engine.close()
    best = found.xyxy[found.scores.argmax()]
    middle = (best[:2] + best[2:]) / 2
    assert np.abs(middle - (280, 200)).max() < 25


def test_boxes_end_where_the_picture_ends(engine: Engine) -> None:
    (box,) = engine.detect(frame(("red", 0, 0))).xyxy
    assert box[:2].tolist() == [0.0, 0.0]
    (box,) = engine.detect(frame(("red", 7, 7))).xyxy
    assert box[2:].tolist() == pytest.approx([64.0, 64.0], abs=0.51)


def test_odd_and_read_only_frames_are_fine(engine: Engine) -> None:
    odd = frame_from_bgr(picture(("red", 2, 2))[:61, :59], captured_at=AT)
    for plane in (odd.y, odd.u, odd.v):
        plane.flags.writeable = False
    assert engine.detect(odd).labels.tolist() == [LABELS.index("red")]


def test_a_compiled_network_is_kept_for_the_next_start(bundle: Bundle, tmp_path: Path) -> None:
    for _ in range(2):
        engine = Engine.open(bundle, n_requests=1, cache_dir=tmp_path / "cache")
        assert len(engine.detect(frame(("red", 2, 2)))) == 1
        engine.close()
    assert list((tmp_path / "cache").iterdir())


def test_latency_mode_sees_the_same(bundle: Bundle, engine: Engine) -> None:
    other = Engine.open(bundle, mode="latency")
    shown = frame(("green", 1, 5))
    np.testing.assert_allclose(other.detect(shown).xyxy, engine.detect(shown).xyxy, atol=1e-3)
    other.close()


def test_an_unknown_device_is_named(bundle: Bundle) -> None:
    with pytest.raises(BundleUnfit, match="on ABACUS"):
        Engine.open(bundle, device="ABACUS")


def test_a_network_that_is_none_is_refused(folder: Path) -> None:
    bundle = Bundle.open(folder)
    (folder / "network.onnx").write_bytes(b"no network at all")
    with pytest.raises(BundleUnfit, match="bundle tiny 1 cannot run on CPU"):
        Engine.open(bundle)


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (NanodetHead(levels=(Level(stride=8, scores="x", distances="dis"),), n_bins=2), "'x'"),
        (NanodetHead(levels=(Level(stride=4, scores="cls", distances="dis"),), n_bins=2), "shape"),
        (NanodetHead(levels=(Level(stride=8, scores="cls", distances="dis"),), n_bins=9), "shape"),
    ],
)
def test_a_head_that_does_not_fit_is_refused(bundle: Bundle, head: NanodetHead, says: str) -> None:
    wrong = replace(bundle, manifest=with_fields(bundle.manifest, head=head))
    with pytest.raises(BundleUnfit, match=says):
        Engine.open(wrong)


def test_a_tensor_that_does_not_exist_is_refused(bundle: Bundle) -> None:
    spec = with_fields(bundle.manifest.input, tensor="pixels")
    wrong = replace(bundle, manifest=with_fields(bundle.manifest, input=spec))
    with pytest.raises(BundleUnfit, match="cannot run"):
        Engine.open(wrong)


def test_a_closed_engine_refuses(bundle: Bundle) -> None:
    engine = Engine.open(bundle, n_requests=1)
    engine.close()
    engine.close()
    with pytest.raises(InferenceFailed, match="closed"):
        engine.detect(frame())
    assert not engine.submit(frame(), lambda answer: None)
