"""The report of one run: a JSON line for programs, a table for people."""

import os
import platform
from datetime import datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table


class Machine(msgspec.Struct, frozen=True):
    """Where it ran, and how busy that was before."""

    cpu: str
    cores: int
    load_before: float
    """Processes that ran or waited, averaged over the last minute."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Figures are plain numbers whose names end in their unit, or in `_ratio`: higher is better."""

    name: str
    at: datetime
    machine: Machine
    options: dict[str, str | int | float | bool | None]
    figures: dict[str, float]
    notes: list[str]
    """What could not be measured and why, and what a reader has to know to read the figures."""


def describe_machine() -> Machine:
    """Return this machine."""
    return Machine(
        cpu=_cpu_name(),
        cores=len(os.sched_getaffinity(0)),
        load_before=round(os.getloadavg()[0], 2),
    )


def as_json_line(report: Report) -> str:
    """Return the report as one line."""
    return msgspec.json.encode(report).decode()


def print_table(report: Report, console: Console) -> None:
    """Print the report for a person."""
    table = Table(title=f"{report.name}, {report.at:%d %b %Y %H:%M}", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in report.figures.items():
        table.add_row(name, f"{value:,.4g}")
    console.print(table)
    machine = report.machine
    console.print(f"{machine.cpu}, {machine.cores} cores, load before {machine.load_before}")
    for note in report.notes:
        console.print(f"- {note}")


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
