"""What the agent takes of a machine when it is installed alone: disk, start, memory."""

import argparse
import tempfile
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.footprint_path.installed import Environment
from benchmarks.footprint_path.resident import ANALYSED_FPS, resident_mb
from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say
from deploy.default_bundle import default_bundle_path
from deploy.sample_video import sample_video_path

_LARGEST: Final = 6
_ROUNDS: Final = 5


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, default=default_bundle_path(), help="default: ours")
    parser.add_argument("--video", type=Path, default=sample_video_path(), help="default: sample")


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    if not options.video.is_file() or not options.bundle.is_dir():
        raise CannotMeasure("there is no video or no bundle: run `make setup`, or name them")
    with tempfile.TemporaryDirectory() as folder:
        say("installing the edge extra alone")
        environment = Environment(Path(folder) / "edge")
        if foreign := environment.foreign_modules():
            raise CannotMeasure(f"the agent imports what it must not: {', '.join(foreign)}")
        sizes = environment.sizes_mb()
        say("importing")
        figures = {
            "install_mb": sum(sizes.values()),
            "n_packages": len(sizes),
            **_imports(environment, rounds=1 if options.quick else _ROUNDS),
            **_memory(environment, options, say),
        }
    largest = ", ".join(f"{name} {mb:.0f}" for name, mb in islice(sizes.items(), _LARGEST))
    notes = (
        f"the largest packages, MB: {largest}",
        "floor: a process that imports openvino, cv2, av and numpy, and does nothing",
        f"cameras: {options.video.name}, {ANALYSED_FPS:.0f} pictures a second looked at, no hub",
        "no Django and no torch is imported",
    )
    return Outcome({name: round(value, 3) for name, value in figures.items()}, notes)


def _imports(environment: Environment, *, rounds: int) -> dict[str, float]:
    environment.import_product()  # so that all rounds find the files in memory
    product, floor = [], []
    for _ in range(rounds):
        product.append(environment.import_product())
        floor.append(environment.import_floor())
    product_s, floor_s = (median(taken_s for taken_s, _ in taken) for taken in (product, floor))
    return {
        "import_s": product_s,
        "import_floor_s": floor_s,
        "import_over_floor_ratio": floor_s / product_s,
        "resident_floor_mb": median(mb for _, mb in floor),
    }


def _memory(environment: Environment, options: argparse.Namespace, say: Say) -> dict[str, float]:
    warm_up_s, seconds = (6.0, 2.0) if options.quick else (15.0, 10.0)
    figures: dict[str, float] = {}
    for n_cameras, name in ((0, "idle"), (1, "1_camera"), (4, "4_cameras")):
        say(f"memory with {n_cameras} cameras")
        figures[f"resident_{name}_mb"] = resident_mb(
            environment.python,
            bundle=options.bundle,
            video=options.video,
            n_cameras=n_cameras,
            warm_up_s=warm_up_s,
            seconds=seconds,
        )
    each = (figures["resident_4_cameras_mb"] - figures["resident_1_camera_mb"]) / 3
    return figures | {"resident_each_more_camera_mb": each}


BENCHMARK: Final = Benchmark(summary=__doc__ or "", measure=_measure, add_options=_add_options)
