"""Frames per second of the whole agent, over what bare decoder and bare network could do."""

import argparse
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.edge_path.agent import (
    Rates,
    Tally,
    a_camera,
    locked_per_s,
    new_cameras,
    rates_of,
    watching,
)
from benchmarks.edge_path.ceiling import N_CORES, Bare, bare_decoding, bare_inference
from benchmarks.edge_path.feeds import AlreadyDecoded, DecodedAsFastAsTaken
from benchmarks.edge_path.held import ANALYSED_FPS, held_on
from benchmarks.edge_path.video import street_720p
from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say, in_turns
from deploy.default_bundle import default_bundle_path
from edge_agent.logs import configure_logs
from edge_agent.sources.feed import Feed
from processing.inference.bundle import BadBundle, Bundle
from processing.media.decode import Decoder, SourceLost, video_file

_AS_FAST_AS_IT_GOES: Final = 120.0
_IN_MEMORY: Final = 60
_MANY: Final = 8
_SHARE_HELD: Final = 0.8
"""Of what the cores could do on average: frames of several cameras come at once."""

_NOTES: Final = (
    "{n_cameras} camera(s). ceiling: CPU-ms of bare PyAV decoding and of benchmark_app, on all "
    "cores; cpu_ms_rest: resize, suppression, tracking, outbox, and what the parts cost more "
    "together than alone; peer: synchronous, one request, one lock, fed by one decoder"
)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, default=default_bundle_path(), help="default: ours")
    parser.add_argument("--video", type=Path, help="default: a street in 720p H.264")
    parser.add_argument("--cameras", type=int, default=1, help="playing the video at once")


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    configure_logs("console", "error")
    try:
        bundle = Bundle.open(options.bundle)
        video = options.video or street_720p()
        return _Runs(bundle, video, options.cameras, is_quick=options.quick).outcome(say)
    except (BadBundle, SourceLost) as error:
        raise CannotMeasure(str(error)) from error


class _Runs:
    """All that is measured of one bundle and one video."""

    def __init__(self, bundle: Bundle, video: Path, n_cameras: int, *, is_quick: bool) -> None:
        self._bundle = bundle
        self._video = video
        self._n_cameras = n_cameras
        self._is_quick = is_quick
        self._seconds = 3.0 if is_quick else 6.0
        self._cpu_ms: dict[str, list[float]] = {"decode": [], "infer": [], "path": []}

    def outcome(self, say: Say) -> Outcome:
        say("ceiling, product and peer by turns")
        per_s = in_turns(
            {
                "decode": lambda: self._bare(
                    "decode", bare_decoding(self._video, seconds=self._seconds)
                ),
                "infer": lambda: self._bare(
                    "infer", bare_inference(self._bundle, seconds=self._seconds)
                ),
                "path": self._path,
                "many": self._many,
                "decoded": self._decoded,
                "locked": self._locked,
            },
            rounds=1 if self._is_quick else 3,
        )
        cpu_ms = {part: median(values) for part, values in self._cpu_ms.items()}
        bare_ms = cpu_ms["decode"] + cpu_ms["infer"]
        ceiling_per_s = 1000.0 * N_CORES / bare_ms
        figures = {
            "frames_per_s": per_s["path"],
            "ceiling_per_s": ceiling_per_s,
            "path_over_ceiling_ratio": per_s["path"] / ceiling_per_s,
            "path_cpu_over_ceiling_ratio": bare_ms / cpu_ms["path"],
            "path_8_cameras_over_ceiling_ratio": per_s["many"] / ceiling_per_s,
            "benchmark_app_per_s": per_s["infer"],
            "decoded_over_benchmark_app_ratio": per_s["decoded"] / per_s["infer"],
            "over_sync_locked_ratio": per_s["path"] / per_s["locked"],
            "cpu_ms_decode": cpu_ms["decode"],
            "cpu_ms_infer": cpu_ms["infer"],
            "cpu_ms_rest": cpu_ms["path"] - bare_ms,
        }
        figures |= {
            f"cpu_ms_{part}": value for part, value in cpu_ms.items() if part.startswith("stage_")
        }
        notes = [_NOTES.format(n_cameras=self._n_cameras)]
        if self._is_quick:
            notes.append("how many cameras are held needs more than a minute: without --quick")
        else:
            figures |= self._held(say, cpu_ms)
        return Outcome({name: round(value, 4) for name, value in figures.items()}, tuple(notes))

    def _bare(self, part: str, measured: Bare) -> float:
        self._cpu_ms[part].append(measured.cpu_ms)
        return measured.per_s

    def _path(self) -> float:
        rates = self._rates(lambda: DecodedAsFastAsTaken(self._video))
        self._cpu_ms["path"].append(rates.cpu_ms_per_frame)
        for stage, spent in rates.cpu_ms_by_stage.items():
            self._cpu_ms.setdefault(f"stage_{stage}", []).append(spent)
        return rates.per_s

    def _many(self) -> float:
        return self._rates(lambda: DecodedAsFastAsTaken(self._video), n_cameras=_MANY).per_s

    def _decoded(self) -> float:
        with Decoder(video_file(self._video)) as decoder:
            pictures = [picture.planes for picture in islice(decoder, _IN_MEMORY)]
        return self._rates(lambda: AlreadyDecoded(pictures)).per_s

    def _rates(self, make_feed: Callable[[], Feed], *, n_cameras: int | None = None) -> Rates:
        cameras, tally = new_cameras(n_cameras or self._n_cameras), Tally()
        feeds = {camera: make_feed() for camera in cameras}
        camera = a_camera(fps=_AS_FAST_AS_IT_GOES)
        with watching(self._bundle, feeds, tally, camera=camera, patient=True):
            return rates_of(tally, warm_up_s=1.5, seconds=self._seconds)

    def _locked(self) -> float:
        feed = DecodedAsFastAsTaken(self._video)
        return locked_per_s(self._bundle, feed, seconds=self._seconds)

    def _held(self, say: Say, cpu_ms: dict[str, float]) -> dict[str, float]:
        """Return how many cameras are held without a drop, and how late results are then."""
        with Decoder(video_file(self._video)) as decoder:
            fps = decoder.fps or ANALYSED_FPS
        camera_ms = fps * cpu_ms["decode"] + ANALYSED_FPS * (cpu_ms["path"] - cpu_ms["decode"])
        figures: dict[str, float] = {}
        for n_cores in range(1, N_CORES + 1):
            guess = int(_SHARE_HELD * 1000.0 * n_cores / camera_ms)
            held = held_on(
                n_cores, self._bundle, self._video, seconds=self._seconds, guess=guess, say=say
            )
            suffix = "" if n_cores == N_CORES else f"_{n_cores}_core"
            figures[f"cameras_720p_5fps{suffix}"] = held.plain.n_cameras
            figures[f"cameras_720p_5fps_gated{suffix}"] = held.gated.n_cameras
            if held.plain.n_cameras:
                figures[f"capture_to_result_p50_ms{suffix}"] = held.plain.p50_ms
                figures[f"capture_to_result_p99_ms{suffix}"] = held.plain.p99_ms
        return figures


BENCHMARK: Final = Benchmark(summary=__doc__ or "", measure=_measure, add_options=_add_options)
