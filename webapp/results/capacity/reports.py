"""The JSON lines of `python -m benchmarks ingest|edge|storm|live --json`, read back."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, NamedTuple, TypeAlias

import msgspec

MAX_REPORT_BYTES: Final = 1024 * 1024
NEEDED: Final = ("ingest", "edge", "storm", "live")

Amount: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e6)]
Positive: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=1e6)]


class UnreadableReport(Exception):
    """A file is no report that capacity can be computed from; the text names it and says why."""


class MeasuredOn(msgspec.Struct, frozen=True):
    """The machine of a run; `load_before` counts the processes that ran or waited."""

    cpu: str
    cores: Annotated[int, msgspec.Meta(gt=0, le=100_000)]
    load_before: Amount


class Options(msgspec.Struct, frozen=True):
    """What a run was asked for, as far as it matters here."""

    quick: bool = False
    server: str = ""
    database_url: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True, tag_field="name"):
    """What all of them say."""

    at: datetime
    machine: MeasuredOn
    options: Options


class IngestFigures(msgspec.Struct, frozen=True):
    """CPU-seconds of the hub for a million results, and how much dearer 1,000 agents make them."""

    gateway_cpu_s_per_million_results: Positive
    database_cpu_s_per_million_results: Positive
    growth_1000_agents_cost_ratio: Positive


class EdgeFigures(msgspec.Struct, frozen=True):
    """CPU-ms of one picture; `cpu_ms_rest` may be below 0 where measuring was noisy."""

    cpu_ms_decode: Positive
    cpu_ms_infer: Positive
    cpu_ms_rest: Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]


class StormFigures(msgspec.Struct, frozen=True):
    """Agents that all came back at once."""

    agents: Positive
    caught_up_s: Positive
    hub_peak_mb: Positive


class LiveFigures(msgspec.Struct, frozen=True):
    """Live video to who looks."""

    hub_cpu_ms_per_picture: Positive


class IngestReport(Report, frozen=True, kw_only=True, tag="ingest"):
    figures: IngestFigures


class EdgeReport(Report, frozen=True, kw_only=True, tag="edge"):
    figures: EdgeFigures


class StormReport(Report, frozen=True, kw_only=True, tag="storm"):
    figures: StormFigures


class LiveReport(Report, frozen=True, kw_only=True, tag="live"):
    figures: LiveFigures


AnyReport: TypeAlias = IngestReport | EdgeReport | StormReport | LiveReport


class Measured(NamedTuple):
    """One report of each."""

    ingest: IngestReport
    edge: EdgeReport
    storm: StormReport
    live: LiveReport


def read_measured(paths: Iterable[Path]) -> Measured:
    """Return one report of each benchmark. Raises `UnreadableReport`."""
    found: dict[str, tuple[Path, AnyReport]] = {}
    for path in paths:
        report = read_report(path)
        name = str(report.__struct_config__.tag)
        if name in found:
            raise UnreadableReport(f"{path}: {found[name][0]} is a report of {name} too; give one")
        found[name] = path, report
    for name in NEEDED:
        if name not in found:
            raise UnreadableReport(
                f"no report of {name} was given: `python -m benchmarks {name} --json` prints one"
            )
    ingest, edge, storm, live = (found[name][1] for name in NEEDED)
    assert isinstance(ingest, IngestReport)
    assert isinstance(edge, EdgeReport)
    assert isinstance(storm, StormReport)
    assert isinstance(live, LiveReport)
    return Measured(ingest, edge, storm, live)


def read_report(path: Path) -> AnyReport:
    """Return the report in a file: its last line. Raises `UnreadableReport`."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_REPORT_BYTES + 1)
    except OSError as error:
        raise UnreadableReport(f"{path}: {error.strerror or error}") from error
    if len(content) > MAX_REPORT_BYTES:
        raise UnreadableReport(f"{path}: larger than {MAX_REPORT_BYTES:,} bytes, so no report")
    lines = content.strip().splitlines()
    if not lines:
        raise UnreadableReport(f"{path}: empty; the benchmark may have failed")
    try:
        report: AnyReport = msgspec.json.decode(lines[-1], type=AnyReport)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableReport(
            f"{path}: no report of {', '.join(NEEDED)} that capacity can use: {error}"
        ) from error
    if isinstance(report, IngestReport) and not report.options.database_url.startswith("postgres"):
        raise UnreadableReport(
            f"{path}: measured on SQLite, which serves one node;"
            " run `python -m benchmarks ingest --database-url postgres://… --json`"
        )
    return report
