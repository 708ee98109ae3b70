"""Every benchmark has one form: a command, a JSON line, a table."""

import argparse
import json
from pathlib import Path

import pytest

from benchmarks import __main__ as door
from benchmarks.harness.benchmark import Benchmark, CannotMeasure, Outcome, Say, in_turns


def measure(options: argparse.Namespace, say: Say) -> Outcome:
    say("counting")
    if options.broken:
        raise CannotMeasure("there is nothing to count")
    return Outcome({"n_things": 3.0, "speed_per_s": float("nan")}, ("three is enough",))


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--broken", action="store_true")
    parser.add_argument("--where", type=Path, default=Path("here"))


@pytest.fixture(autouse=True)
def _counting(monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark = Benchmark("Counts things.", measure, add_options)
    monkeypatch.setattr(door, "names", lambda: ["counting"])
    monkeypatch.setattr(door, "load", lambda name: benchmark)


def test_it_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["counting", "--json", "--quick"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["name"] == "counting"
    assert report["figures"] == {"n_things": 3.0}
    assert report["options"] == {"broken": False, "quick": True, "where": "here"}
    assert report["notes"][0] == "three is enough"
    assert "speed_per_s could not be measured" in report["notes"][1]
    assert report["machine"].keys() == {"cpu", "cores", "load_before"}
    assert report["at"].endswith("Z")


def test_people_get_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["counting"]) == 0
    shown = capsys.readouterr().out
    assert "n_things" in shown
    assert "three is enough" in shown


def test_what_cannot_be_measured_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["counting", "--broken", "--json"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "counting: there is nothing to count" in told.err


def test_all_names_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["--list"]) == 0
    assert capsys.readouterr().out == "counting\n"


def test_contenders_take_turns() -> None:
    order = []

    def contender(name: str, *figures: float) -> object:
        values = iter(figures)

        def run() -> float:
            order.append(name)
            return next(values)

        return run

    contenders = {"a": contender("a", 1, 9, 2), "b": contender("b", 5, 5, 5)}
    assert in_turns(contenders, rounds=3) == {"a": 2, "b": 5}  # type: ignore[arg-type]
    assert order == ["a", "b"] * 3
