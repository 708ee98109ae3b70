"""Labelers' wait: from submitting one picture to the next drawn and ready, in a real Chromium.

With Label Studio beside it: the same pictures, boxes and deeds in the same browser, by turns.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Final

import numpy as np

from benchmarks.harness.benchmark import Benchmark, Outcome, Say
from benchmarks.ingest_path.stores import empty_store
from benchmarks.review_path.farwatch import farwatch_editor
from benchmarks.review_path.label_studio import label_studio_editor
from benchmarks.review_path.labeler import Deed, Editor, Worked, chromium, deeds, work

_N_ITEMS: Final = 200
_N_QUICK: Final = 40
_N_TURN: Final = 20
_NOT_BESIDE: Final = (
    "over_label_studio_p95_ratio is absent: say where Label Studio's command is, in an environment"
    " of its own (--label-studio)"
)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database-url", default="", help="a PostgreSQL server instead of SQLite")
    parser.add_argument(
        "--label-studio",
        default="",
        metavar="COMMAND",
        help="of an environment of its own (pip install label-studio), to measure it beside",
    )


def _measure(options: argparse.Namespace, say: Say) -> Outcome:
    n = _N_QUICK if options.quick else _N_ITEMS
    notes = [_NOT_BESIDE]
    with ExitStack() as open_till_end:
        store = open_till_end.enter_context(empty_store(options.database_url))
        browser = open_till_end.enter_context(chromium())
        say("filling a queue")
        ours = open_till_end.enter_context(farwatch_editor(browser, store, n=n + 1))
        editors: dict[str, Editor] = {"farwatch": ours}
        if options.label_studio:
            say("Label Studio makes its tables")
            peer = label_studio_editor(browser, options.label_studio, n=n + 1)
            theirs = open_till_end.enter_context(peer)
            editors["label_studio"] = theirs
            notes = [f"Label Studio {theirs.release}, by turns of {_N_TURN} pictures"]
        worked = _work_by_turns(editors, deeds(n), say)
    return Outcome(figures(**worked), tuple(notes))


def _work_by_turns(
    editors: Mapping[str, Editor], todo: Sequence[Deed], say: Say
) -> dict[str, Worked]:
    worked = dict.fromkeys(editors, Worked())
    for begun in range(0, len(todo), _N_TURN):
        turn = todo[begun : begun + _N_TURN]
        say(f"{begun} of {len(todo)} pictures are reviewed")
        for name, editor in editors.items():
            worked[name] += work(editor, turn)
            editor.wait_until_saved(begun + len(turn))
    return worked


def figures(farwatch: Worked, label_studio: Worked | None = None) -> dict[str, float]:
    """Return what is reported of a labeler's work here, and beside."""
    found = dict(_figures(farwatch))
    if label_studio is not None:
        theirs = dict(_figures(label_studio))
        found |= {f"label_studio_{name}": value for name, value in theirs.items()}
        for p in ("p50", "p95"):
            name = f"submit_to_ready_{p}_ms"
            found[f"over_label_studio_{p}_ratio"] = theirs[name] / found[name]
    return found


def _figures(worked: Worked) -> Iterator[tuple[str, float]]:
    n = len(worked.ready_ms)
    p50, p95 = np.percentile(worked.ready_ms, (50, 95))
    yield "submit_to_ready_p50_ms", float(p50)
    yield "submit_to_ready_p95_ms", float(p95)
    yield "keys_per_item", worked.n_keys / n
    yield "clicks_per_item", worked.n_presses / n


BENCHMARK = Benchmark(__doc__ or "", _measure, _add_options)
