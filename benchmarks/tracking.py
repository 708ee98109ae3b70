"""Our tracker beside a maintained library's ByteTrack: who keeps whom apart, and at what cost."""

import argparse
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from benchmarks.harness.benchmark import Benchmark, Outcome, Say, in_turns
from benchmarks.tracking_path.clips import Clip, Followed, Grade, follow, grade
from benchmarks.tracking_path.library import SETTINGS, Library, NoLibrary
from benchmarks.tracking_path.made_scenes import SCENES

_LOADS: Final = {20: "crowd_of_20", 100: "crowd_of_100"}
_FIRST_SEED: Final = 100
"""The tracker's settings were chosen on clips of other seeds."""
_WARM_UP: Final = 20
"""Frames whose time does not count."""

_NOTE: Final = (
    "{n} made clips of {scenes} scenes: crossing, occlusion, crowds, comings and goings, misses, "
    "false positives, jitter, 5 fps; IoU 0.5; what either took for a track, doubtful or not"
)


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    n_seeds = 1 if options.quick else 5
    seeds = range(_FIRST_SEED, _FIRST_SEED + n_seeds)
    say("making clips")
    clips = [Clip.of(name, seed=seed) for name in SCENES for seed in seeds]
    say("our tracker")
    ours = [follow(clip) for clip in clips]
    figures = _graded("", clips, ours)
    notes = [_NOTE.format(n=len(clips), scenes=len(SCENES))]
    contenders = {
        f"per_frame_{n}_ms": _timing(follow, Clip.of(name, seed=_FIRST_SEED))
        for n, name in _LOADS.items()
    }
    try:
        say("the library, installed the first time")
        library = Library()
        by_settings = {name: library.follow(clips, name) for name in SETTINGS}
        best = max(SETTINGS, key=lambda name: grade(clips, by_settings[name]).idf1)
        figures |= _graded("library_", clips, by_settings[best])
        contenders |= {
            f"library_per_frame_{n}_ms": _timing(
                lambda clip: library.follow([clip], best)[0], Clip.of(name, seed=_FIRST_SEED)
            )
            for n, name in _LOADS.items()
        }
        notes.append(f"library: ByteTrack of trackers 2.6.1, settings {best}, the better of two")
        say("both by turns")
        figures |= in_turns(contenders, rounds=1 if options.quick else 5)
        figures |= _ratios(figures)
    except NoLibrary as error:
        notes.append(f"library_* and *_library_*: the library cannot be had here: {error}")
        figures |= in_turns(contenders, rounds=1 if options.quick else 5)
    return Outcome({name: round(value, 4) for name, value in figures.items()}, tuple(notes))


def _graded(prefix: str, clips: Sequence[Clip], followed: Sequence[Followed]) -> dict[str, float]:
    whole = grade(clips, followed)
    crowds = [n for n, clip in enumerate(clips) if clip.name in _LOADS.values()]
    crowded = grade([clips[n] for n in crowds], [followed[n] for n in crowds])
    return {
        **_figures(prefix, whole),
        f"{prefix}crowds_mota": crowded.mota,
        f"{prefix}crowds_idf1": crowded.idf1,
    }


def _figures(prefix: str, whole: Grade) -> dict[str, float]:
    return {
        f"{prefix}mota": whole.mota,
        f"{prefix}idf1": whole.idf1,
        f"{prefix}id_switches": whole.id_switches,
    }


def _timing(track: Callable[[Clip], Followed], clip: Clip) -> Callable[[], float]:
    """Return what measures the median milliseconds that a frame takes."""
    return lambda: float(np.median(track(clip).ms[_WARM_UP:]))


def _ratios(figures: dict[str, float]) -> dict[str, float]:
    by_load = {
        f"over_library_time_{n}_ratio": figures[f"library_per_frame_{n}_ms"]
        / figures[f"per_frame_{n}_ms"]
        for n in _LOADS
    }
    return {
        **by_load,
        "over_library_time_ratio": min(by_load.values()),
        "idf1_over_library_ratio": figures["idf1"] / figures["library_idf1"],
        "crowds_idf1_over_library_ratio": figures["crowds_idf1"] / figures["library_crowds_idf1"],
    }


BENCHMARK: Final = Benchmark(summary=__doc__ or "", measure=_measure)
