"""The inference tier under open-loop load, beside the bare engine, LitServe, MLServer and Ray."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say
from benchmarks.ingest_path.servers import ROOT
from benchmarks.tier_path import servers
from benchmarks.tier_path.bare import Bare
from benchmarks.tier_path.figures import LOADS, Rounds, figures_of, notes_of
from benchmarks.tier_path.pictures import take_pictures
from benchmarks.tier_path.servers import Asked, Server
from deploy.default_bundle import default_bundle_path
from processing.inference.bundle import BadBundle, Bundle

N_OPEN: Final = 24
"""Requests that are open at all times, to find what a server can do: fewer than a tier refuses."""
_NO_HURRY_MS: Final = 60_000.0


@dataclass(frozen=True)
class Lengths:
    """How long is measured, s."""

    n_rounds: int
    full_s: float
    """Of a server that is never out of work."""
    load_s: float
    """Of an open-loop load."""


_WHOLE: Final = Lengths(n_rounds=3, full_s=8.0, load_s=20.0)
_QUICK: Final = Lengths(n_rounds=1, full_s=3.0, load_s=4.0)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, default=default_bundle_path(), help="default: ours")
    parser.add_argument("--images", type=Path, help="a folder of JPEGs; default: the sample video")
    parser.add_argument("--budget-ms", type=float, default=500.0)
    for peer in ("litserve", "mlserver", "ray"):
        parser.add_argument(f"--{peer}", type=Path, help=f"a Python that has {peer}")


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    try:
        model = Bundle.open(options.bundle).manifest.name
    except BadBundle as error:
        raise CannotMeasure(str(error)) from error
    lengths = _QUICK if options.quick else _WHOLE
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        pictures = Path(folder, "pictures")
        pictures.mkdir()
        mean_bytes = take_pictures(options.images, pictures)
        run = _Run(options.bundle, pictures, options.budget_ms, lengths, say)
        rounds = run.take_turns(dict(_servers(options, model, Path(folder), running)))
        if options.ray:
            running.close()
            run.measure_ray(servers.ray(options.ray, model, Path(folder)), rounds)
    return Outcome(figures_of(rounds), notes_of(rounds, mean_bytes, options.budget_ms))


def _servers(
    options: argparse.Namespace, model: str, scratch: Path, running: ExitStack
) -> Iterator[tuple[str, Server]]:
    """Start every server that there is an environment for."""
    yield "tier", running.enter_context(servers.tier(options.bundle, model, scratch))
    if options.litserve:
        yield "litserve", running.enter_context(servers.litserve(options.litserve, options.bundle))
    if options.mlserver:
        yield "mlserver", running.enter_context(servers.mlserver(options.mlserver, options.bundle))


@dataclass(frozen=True)
class _Run:
    bundle: Path
    pictures: Path
    budget_ms: float
    lengths: Lengths
    say: Say

    def take_turns(self, found: Mapping[str, Server]) -> Rounds:
        """Measure by turns; the first time of each is not counted."""
        rounds = Rounds()
        for server in found.values():
            with server.awake():
                self._warm_up(server)
        for number in range(1, self.lengths.n_rounds + 1):
            turn = f"round {number} of {self.lengths.n_rounds}: "
            self.say(turn + "the bare engine")
            rounds.bare.append(self._bare())
            for name, server in found.items():
                self.say(turn + f"{name}, never out of work")
                with server.awake():
                    rounds.full.setdefault(name, []).append(self._full(server))
            with found["tier"].awake():
                self._loads(found["tier"], rounds, turn)
        return rounds

    def measure_ray(self, starting: AbstractContextManager[Server], rounds: Rounds) -> None:
        """Measure Ray by turns with the bare engine, after all the others.

        It is busy when nothing happens, and does not bear to be stopped.
        """
        with starting as server:
            self._warm_up(server)
            for number in range(1, self.lengths.n_rounds + 1):
                self.say(f"round {number} of {self.lengths.n_rounds}: the bare engine, and Ray")
                rounds.bare_beside_ray.append(self._bare())
                rounds.full.setdefault("ray", []).append(self._full(server))

    def _warm_up(self, server: Server) -> None:
        self.say(f"waiting for {server.name}")
        servers.wait_for_answer(server, self.pictures)
        server.ask(self.pictures, seconds=1.5, budget_ms=_NO_HURRY_MS, n_open=N_OPEN)

    def _full(self, server: Server) -> Asked:
        return server.ask(
            self.pictures, seconds=self.lengths.full_s, budget_ms=_NO_HURRY_MS, n_open=N_OPEN
        )

    def _loads(self, tier: Server, rounds: Rounds, turn: str) -> None:
        capacity = median(asked.per_s for asked in rounds.full["tier"])
        for times in LOADS:
            self.say(turn + f"the tier, {times:g} times what it can do")
            rounds.loads.setdefault(times, []).append(
                tier.ask(
                    self.pictures,
                    seconds=self.lengths.load_s,
                    budget_ms=self.budget_ms,
                    per_s=times * capacity,
                    seed=len(rounds.bare),
                )
            )

    def _bare(self) -> Bare:
        words = [str(self.bundle), str(self.pictures), str(self.lengths.full_s)]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.tier_path.bare", *words],
            cwd=ROOT, stdout=subprocess.PIPE, check=False, timeout=300.0,
        )  # fmt: skip
        if done.returncode:
            raise CannotMeasure("the bare engine did not run; its words are above")
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=Bare)


BENCHMARK: Final = Benchmark(summary=__doc__ or "", measure=_measure, add_options=_add_options)
