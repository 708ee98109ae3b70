"""Another version takes over under load: each frame has one judge, none is lost, none comes twice.

The networks are real. The two versions call the same thing by different numbers, so that an answer
shows who gave it.
"""

import shutil
import threading
from collections import Counter
from functools import partial
from itertools import groupby
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from edge_agent import model_follower
from edge_agent.duty import Duty, Network
from edge_agent.health import Health
from edge_agent.model_store import ModelStore
from processing.inference.bundle import Bundle
from processing.inference.detector import Detector, Embedding, InferenceFailed, OnDone
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.wire.messages import BundleState
from tests.edge_agent.entries import wait_until
from tests.edge_agent.site_rig import Rig, camera, desired
from tests.processing.tiny_bundle import LABELS, describe, frame, make_tiny_bundle, write_manifest

RED = LABELS.index("red")
BLUE = LABELS.index("blue")


def make_version(folder: Path, n: int) -> Path:
    """Write a bundle; the odd ones see red where red is, the even ones take it for blue."""
    make_tiny_bundle(folder)
    manifest = describe(folder)
    spec = replace(manifest.input, colour="bgr" if n % 2 else "rgb")
    write_manifest(folder, replace(manifest, version=str(n), input=spec))
    return folder


def point(link: Path, target: Path) -> None:
    """Make `link` a link to `target`, at one stroke."""
    new = link.with_suffix(".new")
    new.symlink_to(target, target_is_directory=True)
    new.replace(link)


def runs(rig: Rig, digest: bytes) -> bool:
    return rig.report.bundles[0].digest == digest


def has_results(rig: Rig, n: int) -> bool:
    return len(rig.results) >= n


class Counted:
    """A `Detector` that keeps count of what goes in and comes out."""

    def __init__(self, inner: Detector, books: "Books") -> None:
        self._inner = inner
        self._books = books

    @property
    def device(self) -> str:
        return self._inner.device

    def detect(self, frame: Frame) -> Detections:
        return self._inner.detect(frame)

    def embed(self, frame: Frame) -> Embedding | None:
        return self._inner.embed(frame)

    def submit(self, frame: Frame, on_done: OnDone) -> bool:
        def count(answer: Detections | InferenceFailed) -> None:
            self._books.answered[id(on_done)] += 1
            on_done(answer)

        is_taken = self._inner.submit(frame, count)
        if is_taken:
            self._books.submitted.append(on_done)
        return is_taken

    def wait(self) -> None:
        self._inner.wait()

    def close(self) -> None:
        self._books.n_closed += 1
        self._inner.close()


class Books:
    """What networks of a store were shown, and what they answered."""

    def __init__(self) -> None:
        self.submitted: list[OnDone] = []
        """Kept, so that their ids stay theirs."""
        self.answered: Counter[int] = Counter()
        self.n_closed = 0

    def store(
        self, path: Path | None, *, device: str, cache_dir: Path, problems: Health
    ) -> ModelStore:
        books = self

        class CountedStore(ModelStore):
            def start(self, bundle: Bundle) -> tuple[Network, BundleState]:
                network, state = super().start(bundle)
                counted = Counted(network.engine, books)
                return Network(counted, network.bundle, network.labels), state

        return CountedStore(path, device=device, cache_dir=cache_dir, problems=problems)


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_follower, "LOOK_AGAIN_S", 0.05)


class Load:
    """Two threads that show a network red things as fast as it takes them."""

    def __init__(self, duty: Duty) -> None:
        self._duty = duty
        self._shown = frame(("red", 3, 3))
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.n_submitted = [0, 0]
        self.answers: dict[tuple[int, int], list[tuple[bytes, Detections | InferenceFailed]]] = {}
        self._threads = [threading.Thread(target=self._run, args=(who,)) for who in (0, 1)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, who: int) -> None:
        while not self._stop.is_set():
            network = self._duty.begin()
            on_done = partial(self._note, (who, self.n_submitted[who]), network)
            if network.engine.submit(self._shown, on_done):
                self.n_submitted[who] += 1
            else:
                self._duty.end(network)
                self._stop.wait(0.001)

    def _note(
        self, key: tuple[int, int], network: Network, answer: Detections | InferenceFailed
    ) -> None:
        with self._lock:
            self.answers.setdefault(key, []).append((network.bundle, answer))
        self._duty.end(network)

    def has_submitted(self, n: int) -> bool:
        return sum(self.n_submitted) >= n


def test_every_frame_has_one_judge_through_three_changes(tmp_path: Path) -> None:
    stores = [
        ModelStore(make_version(tmp_path / f"v{n}", n), device="CPU", cache_dir=tmp_path / "cache")
        for n in (1, 2, 3, 4)
    ]
    digests = [store.verify().digest for store in stores]
    duty = Duty(stores[0].open()[0])
    load = Load(duty)
    for store in stores[1:]:
        relieved = duty.hand_over(store.open()[0])
        assert duty.wait_ended(relieved, timeout_s=20)
        relieved.engine.close()
        wait_until(partial(load.has_submitted, sum(load.n_submitted) + 50))
    load.stop()
    duty.network.engine.close()

    assert len(load.answers) == sum(load.n_submitted)
    assert {len(heard) for heard in load.answers.values()} == {1}
    assert {bundle for [(bundle, _)] in load.answers.values()} == set(digests)
    for [(bundle, answer)] in load.answers.values():
        assert isinstance(answer, Detections)
        assert answer.labels.tolist() == [RED if digests.index(bundle) % 2 == 0 else BLUE]


async def test_a_link_that_points_elsewhere_changes_the_model_and_no_camera_notices(
    tmp_path: Path,
) -> None:
    versions = [make_version(tmp_path / f"v{n}", n) for n in (1, 2, 3, 4)]
    digests = [Bundle.open(version).digest for version in versions]
    link = tmp_path / "current"
    point(link, versions[0])
    books = Books()
    rig = Rig(tmp_path, link, make_store=books.store)
    rig.site.desire(desired(1, *(camera(n) for n in (1, 2, 3, 4))))
    async with rig.running():
        await rig.until(lambda: len(rig.results) > 20)
        for version, digest in zip(versions[1:], digests[1:], strict=True):
            point(link, version)
            await rig.until(partial(runs, rig, digest))
            await rig.until(partial(has_results, rig, len(rig.results) + 20))
        await rig.until(lambda: books.n_closed == 3)
    assert rig.kinds == ["model_changed"] * 3
    assert rig.events[0].title == "The model tiny 2 has taken over"
    assert books.answered == {id(on_done): 1 for on_done in books.submitted}
    for n in (1, 2, 3, 4):
        own = [result for result in rig.results if result.camera_id == UUID(int=n)]
        instants = [result.captured_at for result in own]
        assert sorted(set(instants)) == instants
        assert [digest for digest, _ in groupby(result.bundle for result in own)] == digests
    assert len(rig.results) == len(books.submitted)


async def test_files_that_are_replaced_where_they_lie_change_the_model(tmp_path: Path) -> None:
    bundle = make_version(tmp_path / "tiny", 1)
    other = make_version(tmp_path / "other", 2)
    rig = Rig(tmp_path, bundle)
    rig.site.desire(desired(1, camera(1)))
    async with rig.running():
        await rig.until(lambda: rig.results)
        for file in other.iterdir():
            shutil.copy2(file, bundle / file.name)
        await rig.until(lambda: rig.report.bundles[0].version == "2")
    assert rig.kinds == ["model_changed"]


async def test_a_new_model_that_cannot_be_used_changes_nothing_and_is_told_once(
    tmp_path: Path,
) -> None:
    bundle = make_version(tmp_path / "tiny", 1)
    good = Bundle.open(bundle).digest
    manifest = (bundle / "manifest.json").read_bytes()
    rig = Rig(tmp_path, bundle)
    rig.site.desire(desired(1, camera(1)))
    async with rig.running():
        await rig.until(lambda: rig.results)
        (bundle / "manifest.json").write_text("no manifest")
        await rig.until(lambda: rig.report.problems)
        assert rig.report.problems[0].startswith(
            "The new model cannot be used, the old one goes on"
        )
        (bundle / "manifest.json").write_text("no manifest either")
        n_before = len(rig.results)
        await rig.until(lambda: len(rig.results) > n_before + 20)
        assert rig.report.bundles[0].digest == good
        (bundle / "manifest.json").write_bytes(manifest)
        await rig.until(lambda: not rig.report.problems)
    assert {result.bundle for result in rig.results} == {good}
    assert rig.kinds == ["model_refused"]


async def test_a_new_model_that_the_runtime_refuses_changes_nothing(tmp_path: Path) -> None:
    bundle = make_version(tmp_path / "v1", 1)
    unfit = make_version(tmp_path / "v2", 2)
    write_manifest(unfit, replace(describe(unfit), labels=("one", "two")))
    link = tmp_path / "current"
    point(link, bundle)
    rig = Rig(tmp_path, link)
    rig.site.desire(desired(1, camera(1)))
    async with rig.running():
        await rig.until(lambda: rig.results)
        point(link, unfit)
        await rig.until(lambda: rig.kinds == ["model_refused"])
        assert "cannot run on CPU" in rig.events[0].detail
        assert rig.report.bundles[0].version == "1"
        point(link, bundle)
        await rig.until(lambda: not rig.report.problems)


async def test_a_touch_is_no_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = make_version(tmp_path / "tiny", 1)
    starts: list[bytes] = []
    start = ModelStore.start

    def counted(store: ModelStore, opened: Bundle) -> tuple[Network, BundleState]:
        starts.append(opened.digest)
        return start(store, opened)

    monkeypatch.setattr(ModelStore, "start", counted)
    rig = Rig(tmp_path, bundle)
    rig.site.desire(desired(1, camera(1)))
    async with rig.running():
        await rig.until(lambda: rig.results)
        (bundle / "LICENSE").touch()
        n_before = len(rig.results)
        await rig.until(lambda: len(rig.results) > n_before + 30)
    assert len(starts) == 1
    assert rig.kinds == []
