"""The whole tier with real engines: pictures in, boxes out, versions come and go."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from deploy.default_bundle import default_bundle_path
from processing.inference.bundle import MANIFEST, Bundle
from processing.inference.engine import Engine
from processing.inference.manifest import Manifest
from processing.media.colour import frame_from_bgr
from processing.media.jpeg import decode_jpeg
from processing.tier.contract import (
    Answer,
    BadInquiry,
    Inquiry,
    ModelStatus,
    Overloaded,
    Pixels,
    ServedVersion,
    Serving,
    TooLate,
    UnknownModel,
)
from processing.tier.judging.decoding import decode
from processing.tier.judging.openvino_judge import OpenvinoOpener
from processing.tier.local import LocalTier
from processing.tier.serving.folder import list_bundles
from processing.vision.geometry import iou_matrix
from tests.processing.tiny_bundle import (
    AT,
    LABELS,
    frame,
    make_tiny_bundle,
    picture,
    write_manifest,
)

RED = (("red", 2, 3), ("blue", 6, 1))


def png(bgr: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", bgr)[1].tobytes()


def inquiry(
    model: str = "tiny",
    *,
    shown: bytes | Pixels | None = None,
    version: str = "",
    sticky: str = "",
    budget_ms: float = 30_000.0,
) -> Inquiry:
    shown = png(picture(*RED)) if shown is None else shown
    return Inquiry(
        picture=shown,
        model=model,
        version=version,
        sticky=sticky,
        budget_ms=budget_ms,
        tenant="acme",
    )


def add_version(folder: Path, name: str, *, labels: tuple[str, ...] = LABELS) -> str:
    """Add a bundle of another version to a folder; return its digest."""
    path = make_tiny_bundle(folder / name)
    manifest = msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest)
    write_manifest(path, msgspec.structs.replace(manifest, version=name, labels=labels))
    return Bundle.open(path).digest.hex()


def serving(*versions: ServedVersion | str, model: str = "tiny") -> Serving:
    return Serving(
        model=model,
        versions=tuple(
            ServedVersion(digest=version) if isinstance(version, str) else version
            for version in versions
        ),
    )


def state_of(tier: LocalTier, digest: str) -> ModelStatus:
    (status,) = [status for status in tier.models() if status.digest == digest]
    return status


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for bundles."""
    folder = tmp_path / "bundles"
    folder.mkdir()
    return folder


@pytest.fixture
def first(folder: Path) -> str:
    """The digest of a bundle that lies there."""
    return add_version(folder, "first")


@pytest.fixture
def second(folder: Path) -> str:
    """The digest of another, that says other words."""
    return add_version(folder, "second", labels=("azure", "lime", "crimson"))


@pytest.fixture
async def tier(folder: Path) -> AsyncIterator[LocalTier]:
    """A tier that serves nothing yet."""
    tier = LocalTier(folder, OpenvinoOpener(n_requests=2))
    yield tier
    await tier.drain(10.0)


async def test_it_works(tier: LocalTier, first: str) -> None:
    await tier.serve([serving(first)])
    answer = await tier.submit(inquiry())
    assert (answer.width, answer.height, answer.version) == (64, 64, first)
    assert sorted(answer.labels[label] for label in answer.found.labels) == ["blue", "red"]
    assert answer.timings.infer_ms > 0.0
    status = state_of(tier, first)
    assert (status.state, status.labels, status.input_width) == ("ready", LABELS, 64)
    assert status.memory_bytes > 0
    (capacity,) = tier.capacity()
    assert (capacity.model, capacity.n_waiting) == ("tiny", 0)
    assert capacity.pictures_per_s > 0.0


async def test_it_finds_what_the_bare_engine_finds(
    tier: LocalTier, folder: Path, first: str
) -> None:
    engine = Engine.open(Bundle.open(folder / "first"), n_requests=1)
    expected = engine.detect(frame(*RED))
    engine.close()
    await tier.serve([serving(first)])
    rgb = np.ascontiguousarray(picture(*RED)[:, :, ::-1])
    for shown in (png(picture(*RED)), Pixels(rgb)):
        found = (await tier.submit(inquiry(shown=shown))).found
        np.testing.assert_array_equal(found.xyxy, expected.xyxy)
        np.testing.assert_array_equal(found.scores, expected.scores)


async def test_boxes_are_in_pixels_of_the_picture_as_it_was_sent(
    tier: LocalTier, first: str
) -> None:
    await tier.serve([serving(first)])
    small = (await tier.submit(inquiry())).found
    big = picture(*RED, width=1024, height=1024, cell=128)
    ways = (cv2.imencode(".jpg", big)[1].tobytes(), png(big), Pixels(big[:, :, ::-1]))
    for shown in ways:
        answer = await tier.submit(inquiry(shown=shown))
        assert (answer.width, answer.height) == (1024, 1024)
        np.testing.assert_allclose(answer.found.xyxy, small.xyxy * 16.0, atol=4.0)


async def test_what_is_not_served_is_unknown(tier: LocalTier, first: str, second: str) -> None:
    await tier.serve([serving(first)])
    for unknown in (inquiry("cars"), inquiry(version=second), inquiry(version="rubbish")):
        with pytest.raises(UnknownModel):
            await tier.submit(unknown)
    assert tier.figures.n_unknown == 3


async def test_an_absurd_budget_is_refused(tier: LocalTier, first: str) -> None:
    await tier.serve([serving(first)])
    for budget_ms in (0.0, -1.0, float("nan"), 1e9):
        with pytest.raises(TooLate):
            await tier.submit(inquiry(budget_ms=budget_ms))


async def test_no_picture_costs_nobody_else_anything(tier: LocalTier, first: str) -> None:
    await tier.serve([serving(first)])
    whole = png(picture(*RED))
    asked = [
        tier.submit(inquiry(shown=shown)) for shown in (whole, b"", whole[:-40], b"\xff\xd8", whole)
    ]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [
        Answer, BadInquiry, BadInquiry, BadInquiry, Answer,
    ]  # fmt: skip


async def test_what_is_no_picture_is_still_asked_of_no_model(tier: LocalTier, first: str) -> None:
    await tier.serve([serving(first)])
    for asked in (inquiry("other", shown=b""), inquiry(shown=b"", version="none")):
        with pytest.raises(UnknownModel):
            await tier.submit(asked)


async def test_a_bomb_is_refused_by_its_header(tier: LocalTier, first: str) -> None:
    await tier.serve([serving(first)])
    bomb = bytearray(png(picture()))
    bomb[16:24] = (60_000).to_bytes(4) * 2
    with pytest.raises(BadInquiry, match="60000 x 60000"):
        await tier.submit(inquiry(shown=bytes(bomb)))
    assert tier.batchers()[first].figures.n_offered == 0


async def test_too_many_bytes_at_once_are_refused(folder: Path, first: str) -> None:
    shown = png(picture(*RED))
    tier = LocalTier(folder, OpenvinoOpener(n_requests=1), held_bytes=2 * len(shown))
    await tier.serve([serving(first)])
    asked = [tier.submit(inquiry(shown=shown)) for _ in range(3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Answer) for answer in answers) == 2
    assert sum(isinstance(answer, Overloaded) for answer in answers) == 1
    assert isinstance(await tier.submit(inquiry(shown=shown)), Answer)
    await tier.drain(10.0)


async def test_a_version_is_swapped_without_a_single_refusal(
    tier: LocalTier, first: str, second: str
) -> None:
    await tier.serve([serving(first)])
    versions: list[str] = []
    swapping = asyncio.create_task(tier.serve([serving(second)]))
    while not swapping.done():
        versions.append((await tier.submit(inquiry())).version)
    await swapping
    versions.append((await tier.submit(inquiry())).version)
    assert versions[0] == first
    assert versions == sorted(versions, key=[first, second].index)
    assert versions[-1] == second
    assert [status.digest for status in tier.models()] == [second]


async def test_with_a_broken_bundle_the_others_go_on(
    tier: LocalTier, folder: Path, first: str, second: str
) -> None:
    (folder / "second" / "network.onnx").write_bytes(b"no network")
    await tier.serve([serving(second, model="broken"), serving(first)])
    assert (await tier.submit(inquiry())).version == first
    status = state_of(tier, second)
    assert status.state == "failed"
    assert "network.onnx" in status.reason
    with pytest.raises(UnknownModel, match=r"network\.onnx"):
        await tier.submit(inquiry("broken"))


async def test_when_the_next_version_is_broken_the_one_before_goes_on(
    tier: LocalTier, folder: Path, first: str, second: str
) -> None:
    await tier.serve([serving(first)])
    (folder / "second" / "network.onnx").write_bytes(b"no network")
    await tier.serve([serving(second)])
    assert (await tier.submit(inquiry())).version == first
    assert state_of(tier, second).state == "failed"


async def test_a_version_that_is_not_there_says_so(tier: LocalTier) -> None:
    await tier.serve([serving("ab" * 16)])
    assert "is in the tier's folder" in state_of(tier, "ab" * 16).reason


async def test_one_that_does_not_fit_fails_with_words(
    folder: Path, first: str, second: str
) -> None:
    opener = OpenvinoOpener(n_requests=1)
    weight = opener.weigh(Bundle.open(folder / "first"))
    tier = LocalTier(folder, opener, memory_bytes=int(1.5 * weight))
    await tier.serve([serving(first, second)])
    assert state_of(tier, second).state == "failed"
    assert "MB of memory" in state_of(tier, second).reason
    assert (await tier.submit(inquiry())).version == first
    # What is not wanted any more makes room for what is.
    await tier.serve([serving(first)])
    other = add_version(folder, "third")
    await tier.serve([serving(other)])
    assert state_of(tier, other).state == "ready"
    assert (await tier.submit(inquiry())).version == other
    await tier.drain(10.0)


async def test_versions_take_their_shares_and_stick(
    tier: LocalTier, first: str, second: str
) -> None:
    await tier.serve([serving(first, second)])
    asked = [f"camera {number}" for number in range(20)] * 2
    chosen = [(await tier.submit(inquiry(sticky=sticky))).version for sticky in asked]
    assert chosen[:20] == chosen[20:]
    assert set(chosen) == {first, second}
    named = [(await tier.submit(inquiry(version=digest))).version for digest in (first, second)]
    assert named == [first, second]


async def test_what_was_taken_in_is_answered_before_it_stops(tier: LocalTier, first: str) -> None:
    await tier.serve([serving(first)])
    asked = [asyncio.create_task(tier.submit(inquiry())) for _ in range(20)]
    await asyncio.sleep(0)
    await tier.drain(20.0)
    assert all(isinstance(answer, Answer) for answer in await asyncio.gather(*asked))
    with pytest.raises(Overloaded):
        await tier.submit(inquiry())
    assert not tier.models()


@pytest.mark.skipif(not default_bundle_path().is_dir(), reason="the default bundle is not built")
async def test_the_default_bundle_judges_a_large_picture_as_its_engine_does() -> None:
    """A blurred picture of 1600 x 1200 is decoded to half its sides: boxes hardly move."""
    bundle = Bundle.open(default_bundle_path())
    small = np.random.default_rng(3).integers(0, 255, (12, 16, 3), np.uint8)
    shown = cv2.imencode(".jpg", cv2.resize(small, (1600, 1200)))[1].tobytes()
    with closing(Engine.open(bundle, n_requests=1)) as engine:
        expected = engine.detect(frame_from_bgr(decode_jpeg(shown), captured_at=AT))
    tier = LocalTier(default_bundle_path().parent, OpenvinoOpener(n_requests=1))
    digest = bundle.digest.hex()
    await tier.serve([serving(digest, model="default")])
    assert decode(shown, bundle.manifest.input).frame.width == 800
    answer = await tier.submit(inquiry("default", shown=shown))
    assert (answer.width, answer.height, answer.labels) == (1600, 1200, bundle.manifest.labels)
    best = expected.scores.argmax()
    overlaps = iou_matrix(expected.xyxy[[best]], answer.found.xyxy)
    assert overlaps.max() > 0.8
    assert answer.found.scores.max() == pytest.approx(expected.scores[best], abs=0.1)
    await tier.drain(10.0)


async def test_a_folder_without_bundles_lists_none(folder: Path, first: str) -> None:
    (folder / "half").mkdir()
    (folder / "half" / MANIFEST).write_bytes(b"{")
    shutil.copytree(folder / "first", folder / "copy")
    assert [listed.digest for listed in list_bundles(folder)] == [first]
    assert list_bundles(folder / "nowhere") == []


async def test_drained_while_it_loads_it_serves_nothing_more(
    tier: LocalTier, first: str, second: str
) -> None:
    serving_both = asyncio.create_task(tier.serve([serving(first, second)]))
    await asyncio.sleep(0)
    assert tier.models()
    await tier.drain(20.0)
    await serving_both
    assert not tier.models()
    assert not tier.batchers()
    await tier.serve([serving(first)])
    assert not tier.models()


async def test_one_cancelled_while_it_loads_leaves_nothing_behind(
    tier: LocalTier, first: str
) -> None:
    loading = asyncio.create_task(tier.serve([serving(first)]))
    await asyncio.sleep(0)
    assert tier.models()
    loading.cancel()
    with suppress(asyncio.CancelledError):
        await loading
    assert not tier.batchers()
    await tier.serve([serving(first)])
    assert (await tier.submit(inquiry())).version == first
