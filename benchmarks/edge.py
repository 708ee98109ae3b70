"""Frames per second of the whole agent, over what bare decoder and bare network could do."""

import argparse
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from benchmarks.edge_path.agent import (
    Rates,
    Tally,
    locked_per_s,
    new_cameras,
    rates_of,
    watching,
)
from benchmarks.edge_path.ceiling import N_CORES, Bare, bare_decoding, bare_inference
from benchmarks.edge_path.feeds import AlreadyDecoded, DecodedAsFastAsTaken, Turnstile
from benchmarks.edge_path.video import street_720p
from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say, in_turns
from deploy.default_bundle import default_bundle_path
from edge_agent.clock import utc_now
from edge_agent.logs import configure_logs
from edge_agent.sources.feed import Feed
from edge_agent.sources.file import PlayedFile
from processing.inference.bundle import BadBundle, Bundle
from processing.media.decode import Decoder, SourceLost, video_file

_AS_FAST_AS_IT_GOES: Final = 120.0
_ANALYSED_FPS: Final = 5.0
_IN_MEMORY: Final = 60
_MOST_CAMERAS: Final = 40
_PLACES: Final = 2
"""Frames of one camera on their way at once, so that its next is decoded meanwhile."""

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
        self._seconds = 3.0 if is_quick else 8.0
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
            "benchmark_app_per_s": per_s["infer"],
            "decoded_over_benchmark_app_ratio": per_s["decoded"] / per_s["infer"],
            "over_sync_locked_ratio": per_s["path"] / per_s["locked"],
            "cpu_ms_decode": cpu_ms["decode"],
            "cpu_ms_infer": cpu_ms["infer"],
            "cpu_ms_rest": cpu_ms["path"] - bare_ms,
        }
        notes = [_NOTES.format(n_cameras=self._n_cameras)]
        if self._is_quick:
            notes.append("cameras_720p_5fps and latency need more than a minute: without --quick")
        else:
            held, p99_ms = self._most_cameras(say)
            figures |= {"cameras_720p_5fps": held, "capture_to_result_p99_ms": p99_ms}
        return Outcome({name: round(value, 4) for name, value in figures.items()}, tuple(notes))

    def _bare(self, part: str, measured: Bare) -> float:
        self._cpu_ms[part].append(measured.cpu_ms)
        return measured.per_s

    def _path(self) -> float:
        def feed(turnstile: Turnstile) -> Feed:
            return DecodedAsFastAsTaken(self._video, turnstile)

        rates = self._rates(feed)
        self._cpu_ms["path"].append(rates.cpu_ms_per_frame)
        return rates.per_s

    def _decoded(self) -> float:
        with Decoder(video_file(self._video)) as decoder:
            pictures = [picture.planes for picture in islice(decoder, _IN_MEMORY)]
        return self._rates(lambda turnstile: AlreadyDecoded(pictures, turnstile)).per_s

    def _rates(self, make_feed: Callable[[Turnstile], Feed]) -> Rates:
        cameras = new_cameras(self._n_cameras)
        places = max(_PLACES, 4 // self._n_cameras)
        turnstiles = {camera: Turnstile(places) for camera in cameras}
        tally = Tally(on_result=lambda camera: turnstiles[camera].leave())
        feeds = {camera: make_feed(turnstile) for camera, turnstile in turnstiles.items()}
        with watching(self._bundle, feeds, tally, fps=_AS_FAST_AS_IT_GOES):
            return rates_of(tally, warm_up_s=1.5, seconds=self._seconds)

    def _locked(self) -> float:
        feed = DecodedAsFastAsTaken(self._video, Turnstile(1_000_000))
        return locked_per_s(self._bundle, feed, seconds=self._seconds)

    def _most_cameras(self, say: Say) -> tuple[float, float]:
        """Return how many cameras are held without a drop, and the p99 latency at that load."""
        held, p99_ms, low, high = 0, float("nan"), 1, _MOST_CAMERAS
        while low <= high:
            n = (low + high) // 2
            say(f"{n} cameras at {_ANALYSED_FPS:.0f} fps")
            is_held, latency_ms = self._hold(n)
            if is_held:
                held, p99_ms, low = n, latency_ms, n + 1
            else:
                high = n - 1
        return float(held), p99_ms

    def _hold(self, n: int) -> tuple[bool, float]:
        cameras, tally = new_cameras(n), Tally()
        feeds = {camera: PlayedFile(self._video, now=utc_now) for camera in cameras}
        with watching(self._bundle, feeds, tally, fps=_ANALYSED_FPS):
            rates_of(tally, warm_up_s=2.0, seconds=self._seconds)
            wanted = _ANALYSED_FPS * self._seconds
            latencies, counts = list(tally.latencies_ms), dict(tally.by_camera)
        is_held = all(counts.get(camera, 0) >= 0.97 * wanted - 1 for camera in cameras)
        return is_held, quantiles(latencies, n=100)[98] if len(latencies) > 1 else float("nan")


BENCHMARK: Final = Benchmark(summary=__doc__ or "", measure=_measure, add_options=_add_options)
