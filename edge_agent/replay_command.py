"""`python -m edge_agent replay`: opens what it needs, shows how far it is, says how it went."""

import contextlib
import importlib.util
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

import msgspec

from edge_agent.replay import Model, Order, Replay, Summary, write_lines
from processing.inference.bundle import BadBundle, Bundle
from processing.inference.engine import Engine
from processing.media.decode import SourceLost, video_file
from processing.media.length import seconds_of
from processing.wire.scene import Scene

_EVERY_PERCENT: Final = 10

Progress: TypeAlias = AbstractContextManager[Callable[[float], None]]
"""Inside it, call with the second of the video that was looked at."""


class CannotReplay(Exception):
    """The text says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What the command line asks for."""

    video: Path
    bundle: Path | None
    out: Path | None
    """None: standard output."""
    scene: Path | None
    labels: tuple[str, ...]
    score_threshold: float
    fps: float | None


def replay(errand: Errand, *, device: str, cache_dir: Path) -> Summary:
    """Run it until the video is over or SIGINT comes; raise `CannotReplay`."""
    order = Order(
        video=errand.video,
        scene=_scene(errand.scene),
        wanted=errand.labels,
        score_threshold=errand.score_threshold,
        fps=errand.fps,
    )
    model = _open_model(errand.bundle, device=device, cache_dir=cache_dir)
    try:
        if unknown := sorted(set(errand.labels) - set(model.labels)):
            raise CannotReplay(
                f"{model.name} does not know {', '.join(unknown)}. It knows "
                f"{', '.join(model.labels)}"
            )
        with _stopped_by_ctrl_c() as stop:
            return _run(order, model, errand.out, stop)
    except SourceLost as error:
        raise CannotReplay(str(error)) from error
    except OSError as error:
        raise CannotReplay(f"{error.filename or errand.out}: {error.strerror}") from error
    finally:
        model.engine.close()


def _run(order: Order, model: Model, out: Path | None, stop: threading.Event) -> Summary:
    begun = time.monotonic()
    with _progress(seconds_of(video_file(order.video))) as on_progress:
        lines = Replay(order, model, stop=stop, on_progress=on_progress).lines()
        first = next(lines)  # a video that cannot be opened must not cost an older file
        with _output(out) as file:
            summary = write_lines(chain((first,), lines), file)
    took_s = max(time.monotonic() - begun, 1e-9)
    sys.stderr.write(
        f"{'done' if summary.is_complete else 'stopped'}: {summary.n_frames} pictures, "
        f"{sum(summary.n_started.values())} tracks, {summary.n_events} events in {took_s:.1f} s "
        f"({summary.n_frames / took_s:.0f} pictures a second)\n"
    )
    return summary


def _open_model(path: Path | None, *, device: str, cache_dir: Path) -> Model:
    if path is None:
        raise CannotReplay("no bundle is set: name its folder with --bundle")
    try:
        bundle = Bundle.open(path)
        engine = Engine.open(bundle, device=device, cache_dir=cache_dir)
    except BadBundle as error:
        raise CannotReplay(f"the bundle cannot be used: {error}") from error
    manifest = bundle.manifest
    return Model(engine, bundle.digest, manifest.name, manifest.version, manifest.labels)


def _scene(path: Path | None) -> Scene:
    if path is None:
        return Scene()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Scene)
    except OSError as error:
        raise CannotReplay(f"{path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise CannotReplay(f"{path} is no scene: {error}") from error


def _output(path: Path | None) -> AbstractContextManager[BinaryIO]:
    return contextlib.nullcontext(sys.stdout.buffer) if path is None else path.open("wb")


@contextlib.contextmanager
def _stopped_by_ctrl_c() -> Iterator[threading.Event]:
    """Yield what Ctrl-C sets: an exception in the middle of a line would leave half of it."""
    stop = threading.Event()
    before = signal.signal(signal.SIGINT, lambda _number, _frame: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


# ---------------------------------------------------------------- how far it is


def _progress(total_s: float | None) -> Progress:
    if not sys.stderr.isatty() or importlib.util.find_spec("rich") is None:
        return _plain_progress(total_s)
    return _rich_progress(total_s)


@contextlib.contextmanager
def _plain_progress(total_s: float | None) -> Iterator[Callable[[float], None]]:
    told = 0

    def tell(at_s: float) -> None:
        nonlocal told
        percent = int(100 * at_s / total_s) if total_s else 0
        if percent >= told + _EVERY_PERCENT:
            told = percent - percent % _EVERY_PERCENT
            sys.stderr.write(f"{told} %\n")

    yield tell


@contextlib.contextmanager
def _rich_progress(total_s: float | None) -> Iterator[Callable[[float], None]]:
    from rich.console import Console  # noqa: PLC0415 not there on a device with `edge` alone
    from rich.progress import Progress as Bar  # noqa: PLC0415 as above

    with Bar(console=Console(stderr=True)) as bar:
        task = bar.add_task("replay", total=total_s)
        yield lambda at_s: bar.update(task, completed=at_s)
