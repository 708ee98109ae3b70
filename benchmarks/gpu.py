"""Pictures a second through ONNX Runtime by the size of a batch, beside the bare session."""

import argparse
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say, in_turns
from benchmarks.tier_path.pictures import take_pictures
from deploy.default_bundle import default_bundle_path
from processing.inference.bundle import BadBundle, Bundle
from processing.inference.detector import InferenceFailed
from processing.tier.judging.decoding import decode
from processing.tier.judging.judges import OnJudged
from processing.tier.judging.onnx_judge import OnnxJudge
from processing.tier.judging.onnx_network import (
    PROVIDERS,
    OnnxMeans,
    OnnxNetwork,
    OnnxRefused,
    best_provider,
    require_provider,
)
from processing.vision.frame import Frame

SIZES: Final = (1, 2, 4, 8, 16, 32)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, default=default_bundle_path(), help="default: ours")
    parser.add_argument("--images", type=Path, help="a folder of JPEGs; default: the sample video")
    parser.add_argument("--provider", choices=tuple(PROVIDERS), help="default: CUDA, else the CPU")


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    provider = options.provider or best_provider()
    sizes = SIZES[:3] if options.quick else SIZES
    means = OnnxMeans(provider=provider, max_batch=max(sizes))
    say("loading")
    try:
        require_provider(provider)
        bundle = Bundle.open(options.bundle)
        network = OnnxNetwork(bundle, means)
        judge = OnnxJudge(bundle, means)
    except (BadBundle, OnnxRefused) as error:
        raise CannotMeasure(str(error)) from error
    seconds, n_rounds = (0.5, 1) if options.quick else (5.0, 3)
    with closing(judge):
        rates = _Rates(judge, network, _frames(bundle, options.images), seconds)
        figures: dict[str, float] = {}
        for size in (size for size in sizes if size <= judge.max_batch):
            say(f"batches of {size}")
            figures |= rates.of(size, n_rounds)
    return Outcome(figures, tuple(_notes(bundle, means, judge)))


@dataclass(frozen=True)
class _Rates:
    """Pictures a second, both with as many batches in flight."""

    judge: OnnxJudge
    network: OnnxNetwork
    frames: list[Frame]
    seconds: float

    def of(self, size: int, n_rounds: int) -> dict[str, float]:
        """Return figures of batches of one size, measured by turns."""
        spec = self.network.spec
        noise = np.random.default_rng(0).integers(
            0, 256, (size, spec.height, spec.width, 3), np.uint8
        )
        turns = count()

        def judge() -> None:
            first = next(turns) * size
            chosen = [self.frames[(first + each) % len(self.frames)] for each in range(size)]
            _wait(lambda on_judged: self.judge.submit(chosen, on_judged))

        per_s = in_turns(
            {
                "judge": lambda: self._rate(judge, size),
                "session": lambda: self._rate(lambda: self.network.run(noise), size),
            },
            rounds=n_rounds,
        )
        return {
            f"judge_{size}_per_s": round(per_s["judge"], 2),
            f"session_{size}_per_s": round(per_s["session"], 2),
            f"over_session_{size}_ratio": round(per_s["judge"] / per_s["session"], 3),
        }

    def _rate(self, run: Callable[[], object], size: int) -> float:
        """Return pictures a second while it is run again and again, on several threads."""
        run()
        done = count()
        begun = time.perf_counter()

        def repeat() -> None:
            while time.perf_counter() < begun + self.seconds:
                run()
                next(done)

        threads = [threading.Thread(target=repeat) for _ in range(self.judge.n_parallel)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return next(done) * size / (time.perf_counter() - begun)


def _wait(submit: Callable[[OnJudged], None]) -> None:
    answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
    submit(lambda found: answers.put(any(isinstance(each, InferenceFailed) for each in found)))
    if answers.get():
        raise CannotMeasure("a picture could not be judged")


def _frames(bundle: Bundle, images: Path | None) -> list[Frame]:
    with tempfile.TemporaryDirectory() as folder:
        take_pictures(images, Path(folder))
        paths = sorted(Path(folder).glob("*.jpg"))
        return [decode(path.read_bytes(), bundle.manifest.input).frame for path in paths]


def _notes(bundle: Bundle, means: OnnxMeans, judge: OnnxJudge) -> Iterator[str]:
    manifest = bundle.manifest
    yield f"ONNX Runtime on {means.provider.upper()}, bundle {manifest.name} {manifest.version}"
    yield "judge: drawing to the network's size, the session, reading; decoding is not in it"
    yield "session: session.run alone, on noise, from as many threads"
    if judge.max_batch == 1:
        yield "this network takes one picture at a time: with more it answers something else"


BENCHMARK: Final = Benchmark(summary=__doc__ or "", measure=_measure, add_options=_add_options)
