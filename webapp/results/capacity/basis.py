"""What a capacity rests on: what was measured, and what was assumed."""

from webapp.results.capacity.assumptions import Assumptions, all_assumed
from webapp.results.capacity.reports import Measured, Report
from webapp.results.capacity.tables import Section, amount


def as_measured(measured: Measured) -> Section:
    """Return the figures that were used, and where they were measured."""
    ingest, edge = measured.ingest.figures, measured.edge.figures
    storm, live = measured.storm.figures, measured.live.figures
    return Section(
        "Measured",
        ("benchmark", "figures", "where"),
        [
            (
                "ingest",
                (
                    f"{ingest.gateway_cpu_s_per_million_results:.1f} gateway +"
                    f" {ingest.database_cpu_s_per_million_results:.1f} database CPU-s a million"
                    f" results, x{ingest.growth_1000_agents_cost_ratio:.2f} with 1,000 agents"
                ),
                _where(measured.ingest),
            ),
            (
                "edge",
                (
                    f"{edge.cpu_ms_decode:.1f} decode + {edge.cpu_ms_infer:.1f} network +"
                    f" {edge.cpu_ms_rest:.1f} rest CPU-ms a picture"
                ),
                _where(measured.edge),
            ),
            (
                "storm",
                (
                    f"{storm.agents:.0f} agents caught up in {storm.caught_up_s:.1f} s,"
                    f" {storm.hub_peak_mb:.0f} MB"
                ),
                _where(measured.storm),
            ),
            (
                "live",
                f"{live.hub_cpu_ms_per_picture:.2f} CPU-ms a picture and viewer",
                _where(measured.live),
            ),
        ],
    )


def _where(report: Report) -> str:
    machine, options = report.machine, report.options
    parts = (
        f"{report.at:%d %b %Y}",
        f"{machine.cpu}, {machine.cores} cores, load {amount(machine.load_before)}",
        options.server,
        "quick" if options.quick else "",
    )
    return "; ".join(part for part in parts if part)


def as_assumed(given: Assumptions) -> Section:
    """Return what no benchmark knows, with the option that sets it."""
    return Section(
        "Assumed",
        ("option", "value", "what", "source"),
        [(each.option, f"{each.value:g}", each.words, each.source) for each in all_assumed(given)],
    )
