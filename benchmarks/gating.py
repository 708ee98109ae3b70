"""Inferences that the motion gate saves, what it costs, and what it misses."""

import argparse
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.edge_path.video import street_720p
from benchmarks.gating_path.compare import Compared, compare
from benchmarks.gating_path.quiet import cut_out, quiet_frames
from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say
from deploy.default_bundle import default_bundle_path
from processing.inference.bundle import BadBundle, Bundle
from processing.inference.detector import InferenceFailed
from processing.inference.engine import Engine
from processing.media.decode import Decoder, SourceLost, video_file
from processing.vision.frame import Frame
from processing.wire.camera import MotionGate as GatePolicy

_FPS: Final = 5.0
_QUICK_FRAMES: Final = 100
_CUTTINGS: Final = 60
_BEGINS: Final = datetime(2026, 1, 1, tzinfo=UTC)

_NOTE: Final = (
    "{fps:g} fps. tracks: of a second and more, the same class, IoU 0.5, told by a tracker behind "
    "the gate as by one that sees every frame; late_p95_s: how much later. {n} frames and "
    "{n_tracks} tracks of {video}; quiet_: {n_quiet} frames and {n_quiet_tracks} tracks of a made "
    "scene, still but for noise, with a walker in it a third of the time"
)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, default=default_bundle_path(), help="default: ours")
    parser.add_argument("--video", type=Path, help="default: a street in 720p H.264, with cuts")
    parser.add_argument("--fps", type=float, default=_FPS, help="frames a second that are analysed")


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    try:
        bundle = Bundle.open(options.bundle)
        video = options.video or street_720p()
        with closing(Engine.open(bundle)) as engine:
            return _Runs(engine, video, options.fps, is_quick=options.quick).outcome(say)
    except (BadBundle, InferenceFailed, SourceLost) as error:
        raise CannotMeasure(str(error)) from error


class _Runs:
    """The video as it is, and a quiet scene made from it."""

    def __init__(self, engine: Engine, video: Path, fps: float, *, is_quick: bool) -> None:
        self._engine = engine
        self._video = video
        self._fps = fps
        self._n_frames = _QUICK_FRAMES if is_quick else None
        self._policy = GatePolicy(is_on=True)

    def outcome(self, say: Say) -> Outcome:
        real = self._compare(self._real_frames(), "the video", say)
        figures = _figures("", real)
        say("a quiet scene")
        labels = self._engine.bundle.manifest.labels
        wanted = labels.index("person") if "person" in labels else None
        frames = islice(self._real_frames(), _CUTTINGS)
        cutting = cut_out(frames, self._engine, wanted)
        notes = []
        quiet = None
        if cutting is None:
            notes.append("quiet_*: the network is sure of nothing in the video to put into a scene")
        else:
            made = quiet_frames(cutting, fps=self._fps, begins=_BEGINS)
            quiet = self._compare(made, "a quiet scene", say)
            figures |= _figures("quiet_", quiet)
        notes.insert(
            0,
            _NOTE.format(
                fps=self._fps,
                n=real.n_frames,
                n_tracks=real.n_tracks,
                video=self._video.name,
                n_quiet=quiet.n_frames if quiet else 0,
                n_quiet_tracks=quiet.n_tracks if quiet else 0,
            ),
        )
        return Outcome({name: round(value, 4) for name, value in figures.items()}, tuple(notes))

    def _compare(self, frames: Iterator[Frame], what: str, say: Say) -> Compared:
        return compare(
            frames,
            self._engine,
            self._policy,
            fps=self._fps,
            say=lambda text: say(f"{what}, {text}"),
        )

    def _real_frames(self) -> Iterator[Frame]:
        """Yield the video's frames, so many a second, each with its own memory."""
        return islice(self._sampled(), self._n_frames)

    def _sampled(self) -> Iterator[Frame]:
        due_s = float("-inf")
        with Decoder(video_file(self._video)) as decoder:
            for picture in decoder:
                if picture.at_s + 1e-3 < due_s:
                    continue
                due_s = max(due_s, picture.at_s) + 1.0 / self._fps
                at = _BEGINS + timedelta(seconds=picture.at_s)
                planes = picture.planes
                yield Frame(
                    np.array(planes.y), np.array(planes.u), np.array(planes.v), captured_at=at
                )


def _figures(prefix: str, compared: Compared) -> dict[str, float]:
    return {
        f"{prefix}saved_ratio": compared.saved,
        f"{prefix}tracks_found_ratio": compared.found,
        f"{prefix}late_p95_s": compared.late_s,
        f"{prefix}gate_ms": compared.gate_ms,
    }


BENCHMARK: Final = Benchmark(summary=__doc__ or "", measure=_measure, add_options=_add_options)
