"""What a billion requests a day take is arithmetic on what was measured: anybody can check it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from benchmarks.harness.report import Machine, as_json_line
from benchmarks.harness.report import Report as Printed
from benchmarks.ingest_path.traffic import make_batches
from webapp.results.capacity.assumptions import Assumptions, UnusableAssumption, all_assumed
from webapp.results.capacity.document import BEGIN, END
from webapp.results.capacity.model import Capacity, compute
from webapp.results.capacity.page import sections
from webapp.results.capacity.reports import (
    MAX_REPORT_BYTES,
    NEEDED,
    Measured,
    UnreadableReport,
    read_measured,
    read_report,
)
from webapp.results.capacity.tables import Section, as_markdown, as_text

FIGURES: dict[str, dict[str, float]] = {
    "ingest": {
        "gateway_cpu_s_per_million_results": 20.0,
        "database_cpu_s_per_million_results": 10.0,
        "growth_1000_agents_cost_ratio": 1.2,
    },
    "edge": {"cpu_ms_decode": 2.0, "cpu_ms_infer": 8.0, "cpu_ms_rest": 3.0},
    "storm": {"agents": 100, "caught_up_s": 10.0, "hub_peak_mb": 150.0},
    "live": {"hub_cpu_ms_per_picture": 0.6},
}
# 864 million a day is ten thousand a second.
GIVEN = Assumptions(requests_per_day=864e6, busy=0.5, fps=5, video_fps=15, node_cores=8)


def printed(name: str, **changes: Any) -> str:
    """Return what a benchmark prints, by the benchmarks' own code."""
    report = Printed(
        name=name,
        at=datetime(2026, 11, 23, tzinfo=UTC),
        machine=Machine(cpu="A good one", cores=2, load_before=0.5),
        options={"quick": False, "server": "uvicorn", "database_url": "postgres://here/x"},
        figures=FIGURES[name] | {"something_else_ms": 1.0},
        notes=["as measured"],
    )
    return as_json_line(msgspec.structs.replace(report, **changes))


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("reports")
    paths = [folder / f"{name}.json" for name in NEEDED]
    for name, path in zip(NEEDED, paths, strict=True):
        path.write_text(printed(name) + "\n")
    return paths


@pytest.fixture(scope="module")
def measured(reports: list[Path]) -> Measured:
    return read_measured(reports)


@pytest.fixture
def capacity(measured: Measured) -> Capacity:
    return compute(measured, GIVEN)


def test_the_hub_needs_the_cpu_that_was_measured(capacity: Capacity) -> None:
    mean, peak, spike = capacity.hub
    assert mean.results_per_s == pytest.approx(10_000)
    # 20 us a result, 1.2 times that with many agents, half of each core left free.
    assert mean.gateway_cores == pytest.approx(10_000 * 20e-6 * 1.2 / 0.5)
    assert mean.database_cores == pytest.approx(mean.gateway_cores / 2)
    assert peak.gateway_cores == pytest.approx(3 * mean.gateway_cores)
    assert spike.results_per_s == pytest.approx(10 * peak.results_per_s)
    assert spike.gateway_nodes == 2  # 14.4 cores
    assert mean.gateway_nodes == 2  # one may fail
    assert mean.network_mbit_s == pytest.approx(10_000 * 275 * 8 / 1e6)


def test_work_leaves_the_cloud_as_the_edge_does_more(capacity: Capacity) -> None:
    none, most, nearly_all = (each for each in capacity.inference if each.load == "mean")
    assert none.cloud_cores == pytest.approx(10_000 * 10e-3 / 0.5)
    assert most.cloud_cores == pytest.approx(none.cloud_cores / 10)
    assert nearly_all.cloud_cores == pytest.approx(none.cloud_cores / 100)
    assert most.network_mbit_s == pytest.approx(none.network_mbit_s / 10)
    # Three pictures are decoded for one that is analysed; tracking and outbox are the agent's.
    assert none.edge_cores == pytest.approx(10_000 * (3 * 2 + 3) * 1e-3 / 0.5)
    assert most.edge_cores == pytest.approx(10_000 * (3 * 2 + 3 + 0.9 * 8) * 1e-3 / 0.5)


def test_money_is_cores_disk_and_network_at_their_prices(measured: Measured) -> None:
    free = replace(
        GIVEN, price_edge_core_hour=0, price_gb_month=0, price_gb_in=0, price_core_hour=1.0
    )
    costs = {each.load: each for each in compute(measured, free).money if each.edge_share == 0}
    # Two nodes of 8 cores for 24 hours, over 864 million.
    assert costs["mean"].gateway == pytest.approx(2 * 8 * 24 / 864)
    assert costs["mean"].database == pytest.approx(2 * 1 * 24 / 864)
    assert costs["mean"].cloud == pytest.approx(25 * 8 * 24 / 864)
    total = costs["mean"].gateway + costs["mean"].database + costs["mean"].cloud
    assert costs["mean"].total == pytest.approx(total)
    assert costs["mean"].total < costs["peak"].total < costs["spike"].total


def test_disk_holds_what_is_kept_in_every_copy(measured: Measured) -> None:
    given = replace(GIVEN, keep_days=7, keep_minutes_days=0, keep_hours_days=0, copies=3)
    disk = compute(measured, given).disk
    assert disk.results_gb_day == pytest.approx(864e6 * 460 / 1e9)
    assert disk.kept_gb == pytest.approx(7 * disk.results_gb_day)
    assert disk.all_copies_gb == pytest.approx(3 * disk.kept_gb)


def test_a_spike_waits_in_outboxes_and_is_worked_off(measured: Measured) -> None:
    peak = compute(measured, GIVEN).hub[1]
    spike = compute(measured, GIVEN).spike
    waiting = (300_000 - peak.most_results_per_s) * 60
    assert spike.waiting_results == pytest.approx(waiting)
    assert spike.gone_after_s == pytest.approx(waiting / (peak.most_results_per_s - 30_000))
    assert compute(measured, replace(GIVEN, spike=1)).spike.gone_after_s == 0


def test_more_agents_a_process_than_were_measured_take_longer_to_come_back(
    measured: Measured,
) -> None:
    few = compute(measured, GIVEN).coming_back
    assert few.agents == 1500  # 6,000 cameras, four each
    assert few.caught_up_s == 10.0
    many = compute(measured, replace(GIVEN, cameras_per_agent=1, node_cores=1)).coming_back
    assert many.caught_up_s == pytest.approx(10.0 * many.agents_per_process / 100)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "empty"),
        ("Traceback\n", "malformed"),
        ("[]", "Expected `object`"),
        ('{"name": "accuracy"}', "accuracy"),
        (printed("storm", figures={"agents": 3.0, "hub_peak_mb": 1.0}), "caught_up_s"),
        (printed("edge", figures=FIGURES["edge"] | {"cpu_ms_infer": 0.0}), "cpu_ms_infer"),
        (printed("live").replace("0.6", '"fast"'), "hub_cpu_ms_per_picture"),
        (printed("ingest", options={"database_url": ""}), "SQLite"),
        (" " * (MAX_REPORT_BYTES + 1), "larger"),
        ("\udcff\udcfe", "malformed"),
        ('{"name":"edge","deep":' + "[" * 100_000, "recursion"),
    ],
)
def test_a_file_that_is_no_report_is_named_with_what_is_wrong(
    tmp_path: Path, content: str, told: str
) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(UnreadableReport, match=told) as refused:
        read_report(path)
    assert str(path) in str(refused.value)


def test_each_report_is_wanted_once(reports: list[Path]) -> None:
    with pytest.raises(UnreadableReport, match="no report of live"):
        read_measured(reports[:-1])
    with pytest.raises(UnreadableReport, match="a report of edge too"):
        read_measured([*reports, reports[1]])
    with pytest.raises(UnreadableReport, match="No such file"):
        read_measured([reports[0].parent / "none.json"])


@pytest.mark.parametrize("value", [0.0, -1.0, 1.0, float("nan"), float("inf")])
def test_an_assumption_out_of_range_is_named(value: float) -> None:
    with pytest.raises(UnusableAssumption, match="--busy"):
        Assumptions(busy=value)


def any_assumptions() -> st.SearchStrategy[Assumptions]:
    ranges = {each.name: st.floats(each.low, each.high) for each in all_assumed(Assumptions())}
    return st.builds(Assumptions, **ranges)


@given(given=any_assumptions())
@settings_of_hypothesis(max_examples=60, deadline=None)
def test_whatever_may_be_assumed_has_an_answer(measured: Measured, given: Assumptions) -> None:
    capacity = compute(measured, given)
    answer = msgspec.json.encode(capacity)
    assert b"null" not in answer  # what msgspec makes of infinity
    assert b":-" not in answer
    assert as_text(sections(capacity, measured, given))


Run = Callable[..., str]


@pytest.fixture
def run(reports: list[Path], capsys: pytest.CaptureFixture[str]) -> Run:
    def run_(*arguments: str) -> str:
        call_command("capacity", "--from", *map(str, reports), *arguments)
        return capsys.readouterr().out

    return run_


def test_the_command_answers_people(run: Run) -> None:
    shown = run("--requests-per-day", "2e7", "--price-core-hour", "0.5")
    assert shown.startswith("20,000,000 requests a day")
    assert "US$ for a million results" in shown
    assert "A good one, 2 cores" in shown
    assert "--price-core-hour" in shown


def test_the_command_answers_programs(run: Run) -> None:
    answer = json.loads(run("--json", "--spike", "4"))
    assert answer["assumed"]["spike"] == 4
    assert len(answer["capacity"]["money"]) == 9
    assert answer["measured"]["storm"]["figures"]["agents"] == 100


def test_the_command_refuses_what_it_cannot_use(run: Run, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--spike: 0 is not between 1 and"):
        run("--spike", "0")
    page = tmp_path / "page.md"
    with pytest.raises(CommandError, match=r"page\.md: No such file"):
        run("--write", str(page))
    page.write_bytes(b"\xff\xfe")
    with pytest.raises(CommandError, match="not a page of UTF-8"):
        run("--write", str(page))
    page.write_text("# A page without marks\n")
    with pytest.raises(CommandError, match="no place for it"):
        run("--write", str(page))


def test_writing_leaves_the_rest_of_a_page_as_it_was(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nof yesterday\n{END}\nafter\n")
    run("--write", str(page))
    written = page.read_text()
    run("--write", str(page))
    assert page.read_text() == written
    assert written.startswith(f"before\n{BEGIN}\n")
    assert written.endswith(f"{END}\nafter\n")
    assert "of yesterday" not in written


def test_the_docs_say_what_the_recorded_benchmarks_give(tmp_path: Path) -> None:
    docs = settings.BASE_DIR / "docs" / "capacity.md"
    page = tmp_path / "capacity.md"
    page.write_text(docs.read_text())
    call_command("capacity", "--write", str(page))
    assert page.read_text() == docs.read_text(), "run `manage.py capacity --write docs/capacity.md`"


def test_results_are_as_large_on_the_wire_as_is_assumed() -> None:
    batches = make_batches(
        UUID(int=7),
        epoch=1,
        begun_at=datetime(2026, 11, 23, tzinfo=UTC),
        n_results=20,
        per_message=20,
    )
    n_bytes = sum(len(msgspec.msgpack.encode(batch)) for batch in batches) / 20
    assert n_bytes == pytest.approx(Assumptions().result_bytes, rel=0.03)


def test_tables_line_up_and_are_markdown_too() -> None:
    section = Section("Fruit", ("kind", "n"), [("apples", "1,200"), ("figs", "9")], ("Fresh.",))
    assert as_text([section]).splitlines()[2:] == [
        "kind        n",
        "apples  1,200",
        "figs        9",
        "Fresh.",
    ]
    assert as_markdown([section]).splitlines()[2:5] == [
        "| kind | n |",
        "| --- | ---: |",
        "| apples | 1,200 |",
    ]
