"""A recorded video goes through the agent's own pipeline, and what it said is a file."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

import msgspec
import numpy as np
import pytest

from edge_agent.replay import Header, Line, Look, Model, Order, Replay, Summary, Word
from edge_agent.replay_command import CannotReplay, Errand, replay
from processing.inference.detector import InferenceFailed
from processing.inference.fake import FakeEngine
from processing.media.decode import video_file
from processing.media.length import seconds_of
from processing.vision.detections import Detections
from processing.wire.scene import InZone, Rule, Scene, Tampered, Zone
from tests.processing.media.videos import pictures, write_video
from tests.processing.tiny_bundle import make_tiny_bundle

ROOT = Path(__file__).parents[2]
ALL = Zone(zone_id=UUID(int=1), name="Yard", polygon=((0, 0), (1, 0), (1, 1), (0, 1)))
RULE = Rule(rule_id=UUID(int=2), name="Somebody", condition=InZone(zone_id=ALL.zone_id))
SCENE = Scene(zones=(ALL,), rules=(RULE,))
ONE_CAR = Detections(
    np.array([[16, 12, 48, 36]], np.float32), np.array([0.9], np.float32), np.array([1], np.int32)
)


def model(engine: FakeEngine) -> Model:
    return Model(engine, bytes(range(16)), "fake", "1", ("person", "car"))


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Three seconds, ten pictures each."""
    return write_video(tmp_path / "yard.mp4", pictures(30))


def run(order: Order, engine: FakeEngine, stop: threading.Event | None = None) -> list[Line]:
    return list(Replay(order, model(engine), stop=stop or threading.Event()).lines())


def looks(lines: Iterable[Line]) -> list[Look]:
    return [line for line in lines if isinstance(line, Look)]


def read(path: Path) -> list[Line]:
    return [msgspec.json.decode(line, type=Line) for line in path.read_bytes().splitlines()]


def test_it_works(video: Path) -> None:
    lines = run(Order(video=video, scene=SCENE), FakeEngine([ONE_CAR] * 30))
    header, summary = lines[0], lines[-1]
    assert isinstance(header, Header)
    assert (header.video, header.bundle, header.labels, header.n_rules) == (
        "yard.mp4", "000102030405060708090a0b0c0d0e0f", ("person", "car"), 1,
    )  # fmt: skip
    assert [look.picture for look in looks(lines)] == list(range(30))
    assert [look.at_s for look in looks(lines)] == pytest.approx([n / 10 for n in range(30)])
    [car] = looks(lines)[10].things
    assert (car.label, car.track, car.xyxy) == ("car", 1, (0.25, 0.25, 0.75, 0.75))
    words = [line for line in lines if isinstance(line, Word)]
    assert [word.phase for word in words] == ["start", "end"]
    assert {word.event_id for word in words} == {UUID(int=1)}
    assert "Car in Yard" in words[0].title
    assert summary == Summary(
        is_complete=True, n_pictures=30, n_frames=30, n_failed=0, n_started={"car": 1}, n_events=1
    )


def test_pictures_are_looked_at_and_written_in_order_however_late_the_answers(video: Path) -> None:
    engine = FakeEngine([ONE_CAR] * 30, n_requests=3)
    engine.hold()
    letting_go = threading.Timer(0.3, engine.release)
    letting_go.start()
    lines = run(Order(video=video, scene=Scene()), engine)
    letting_go.join()
    assert [look.picture for look in looks(lines)] == list(range(30))
    assert [frame.captured_at for frame in engine.frames] == sorted(
        frame.captured_at for frame in engine.frames
    )


def test_fewer_pictures_a_second_are_looked_at_when_asked(video: Path) -> None:
    engine = FakeEngine()
    lines = run(Order(video=video, scene=Scene(), fps=2.0), engine)
    assert [look.picture for look in looks(lines)] == [0, 5, 10, 15, 20, 25]
    summary = lines[-1]
    assert isinstance(summary, Summary)
    assert (summary.n_pictures, summary.n_frames) == (30, 6)


def test_only_wanted_labels_and_good_scores_are_written(video: Path) -> None:
    order = Order(video=video, scene=Scene(), wanted=("person",))
    assert not any(look.things for look in looks(run(order, FakeEngine([ONE_CAR] * 30))))
    order = Order(video=video, scene=Scene(), score_threshold=0.95)
    assert not any(look.things for look in looks(run(order, FakeEngine([ONE_CAR] * 30))))


def test_a_picture_that_fails_is_said_and_the_next_is_looked_at(video: Path) -> None:
    lines = run(Order(video=video, scene=Scene()), FakeEngine([InferenceFailed("no luck")]))
    assert [look.failure for look in looks(lines)][:2] == ["no luck", ""]
    summary = lines[-1]
    assert isinstance(summary, Summary)
    assert (summary.n_frames, summary.n_failed) == (30, 1)


def test_stopped_it_ends_what_is_begun_and_says_so(video: Path) -> None:
    stop = threading.Event()

    def stop_at(at_s: float) -> None:
        if at_s >= 1.0:
            stop.set()

    engine = FakeEngine([ONE_CAR] * 30)
    order = Order(video=video, scene=SCENE)
    lines = list(Replay(order, model(engine), stop=stop, on_progress=stop_at).lines())
    summary = lines[-1]
    assert isinstance(summary, Summary)
    assert not summary.is_complete
    assert len(looks(lines)) == len(engine.frames) < 30
    assert [line.phase for line in lines if isinstance(line, Word)] == ["start", "end"]


def test_a_camera_that_was_covered_is_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    street = rng.integers(60, 200, (12, 16, 3), np.uint8).repeat(20, axis=0).repeat(20, axis=1)
    noisy = [np.clip(street + rng.normal(0, 3, street.shape), 0, 255) for _ in range(10)]
    dark = [np.clip(8 + rng.normal(0, 2, street.shape), 0, 255) for _ in range(10)]
    shown = [picture.astype(np.uint8) for picture in noisy * 30 + dark * 30]
    video = write_video(tmp_path / "covered.avi", shown, codec="mjpeg", pixels="yuvj420p", fps=5)
    rule = Rule(rule_id=UUID(int=9), name="Hands off", condition=Tampered(after_s=5.0))
    words = [
        line
        for line in run(Order(video=video, scene=Scene(rules=(rule,))), FakeEngine())
        if isinstance(line, Word)
    ]
    assert [word.phase for word in words][:1] == ["start"]
    assert 60.0 < words[0].at_s < 120.0
    assert "covered" in words[0].title + words[0].detail


def test_a_file_tells_how_long_it_is(video: Path, tmp_path: Path) -> None:
    assert seconds_of(video_file(video)) == pytest.approx(3.0, abs=0.1)
    assert seconds_of(video_file(tmp_path / "nothing.mp4")) is None


# ---------------------------------------------------------------- the command


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    red = [np.full((64, 64, 3), (0, 0, 255), np.uint8)] * 40
    return write_video(tmp_path / "red.avi", red, codec="ffv1", pixels="bgr0", fps=10)


def errand(recorded: Path, tmp_path: Path, **changes: object) -> Errand:
    fields: dict[str, object] = {
        "video": recorded,
        "bundle": tmp_path / "tiny",
        "out": tmp_path / "out.jsonl",
        "scene": None,
        "labels": (),
        "score_threshold": 0.4,
        "fps": None,
    }
    return Errand(**fields | changes)  # type: ignore[arg-type]  # as Errand's fields are


def test_the_same_video_gives_the_same_file_to_the_byte(colours: Path, tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "tiny")
    scene = tmp_path / "scene.json"
    scene.write_bytes(msgspec.json.encode(SCENE))
    contents = []
    for name in ("one", "two"):
        out = tmp_path / name
        summary = replay(
            errand(colours, tmp_path, out=out, scene=scene),
            device="CPU",
            cache_dir=tmp_path / "cache",
        )
        assert summary.n_failed == 0
        contents.append(out.read_bytes())
    assert contents[0] == contents[1]
    lines = read(tmp_path / "one")
    assert all(thing.label == "red" for look in looks(lines) for thing in look.things)
    assert any(isinstance(line, Word) for line in lines)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bundle": None}, "--bundle"),
        ({"bundle": Path("nowhere")}, "the bundle cannot be used"),
        ({"video": Path("nothing.mp4")}, "nothing.mp4 does not exist"),
        ({"labels": ("red", "purple")}, "does not know purple"),
        ({"scene": Path("nothing.json")}, "nothing.json"),
        ({"scene": Path(__file__)}, "is no scene"),
        ({"out": Path("/nowhere/out.jsonl")}, "/nowhere/out.jsonl: No such file"),
    ],
)
def test_what_is_wrong_is_told_in_words(
    colours: Path, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    make_tiny_bundle(tmp_path / "tiny")
    older = tmp_path / "out.jsonl"
    older.write_text("what was found before")
    with pytest.raises(CannotReplay, match=words):
        replay(errand(colours, tmp_path, **changes), device="CPU", cache_dir=tmp_path / "cache")
    assert older.read_text() == "what was found before"


def test_ctrl_c_leaves_a_whole_file(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "tiny")
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 255, (480, 640, 3), np.uint8) for _ in range(4)] * 150
    video = write_video(tmp_path / "long.avi", noise, codec="mjpeg", pixels="yuvj420p", fps=10)
    out = tmp_path / "out.jsonl"
    process = subprocess.Popen(
        [
            sys.executable, "-m", "edge_agent", "replay", video,
            "--bundle", tmp_path / "tiny", "--out", out,
        ],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
        env={"FARWATCH_DATA_DIR": str(tmp_path / "data"), "FARWATCH_LOG_LEVEL": "error"},
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (out.is_file() and out.stat().st_size):  # its first lines are on disk
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    lines = read(out)
    summary = lines[-1]
    assert isinstance(summary, Summary)
    assert (process.returncode, summary.is_complete) == (130, False)
    assert 0 < len(looks(lines)) == summary.n_frames < 600
    assert "stopped:" in said
