"""What people read: the tables of a capacity, and what it rests on."""

from collections.abc import Iterator
from typing import Final

from webapp.results.capacity import basis
from webapp.results.capacity.assumptions import Assumptions
from webapp.results.capacity.model import Capacity, Money
from webapp.results.capacity.reports import Measured
from webapp.results.capacity.tables import Section, amount

_BAR: Final = 20
_NOT_COUNTED: Final = (
    "Not counted: TLS (the proxy's), PostgreSQL's WAL, vacuum and replay on the copy, backups,"
    " thumbnails and clips, pages and their readers, training, the agents' making of JPEGs."
)
_EXTRAPOLATED: Final = (
    "Extrapolated from one machine to many, in straight lines. Several databases, and the cloud"
    " tier that would analyse pictures, are not built: their lines say what the work would take."
)


def sections(capacity: Capacity, measured: Measured, given: Assumptions) -> Iterator[Section]:
    """Yield the answer first, then what it rests on."""
    yield _answer(capacity, given)
    yield _hub(capacity, given)
    yield _inference(capacity)
    yield _money(capacity)
    yield _disk(capacity, given)
    yield _when(capacity, given)
    yield basis.as_measured(measured)
    yield basis.as_assumed(given)


def _answer(capacity: Capacity, given: Assumptions) -> Section:
    peak = next(each for each in capacity.hub if each.load == "peak")
    rented = {each.edge_share: each.total for each in capacity.money if each.load == "peak"}
    money = ", ".join(f"{_dollars(total)} US$ with {share:.0%}" for share, total in rented.items())
    machines = (
        f"At the peak, {amount(peak.results_per_s)} results a second of {capacity.cameras:,}"
        f" cameras: {peak.gateway_nodes} gateway nodes of {amount(given.node_cores)} cores, and"
        f" {amount(peak.database_cores)} cores of PostgreSQL, {amount(given.copies)} times."
    )
    cost = f"A million results cost {money} of the pictures analysed beside the cameras."
    return Section(
        f"{amount(given.requests_per_day)} requests a day",
        words=(machines, cost, _NOT_COUNTED, _EXTRAPOLATED),
    )


def _hub(capacity: Capacity, given: Assumptions) -> Section:
    return Section(
        "The hub: every result goes into the table, whoever analysed the picture",
        (
            "load",
            "results/s",
            "gateway cores",
            "gateway nodes",
            "database cores",
            "databases",
            "most results/s",
            "in, Mb/s",
        ),
        [
            (
                each.load,
                amount(each.results_per_s),
                amount(each.gateway_cores),
                str(each.gateway_nodes),
                amount(each.database_cores),
                str(each.databases),
                amount(each.most_results_per_s),
                amount(each.network_mbit_s),
            )
            for each in capacity.hub
        ],
        (
            f"Cores at {given.busy:.0%} use. Two gateway nodes at the least, so that one may fail.",
            "Each copy of a database needs its cores again.",
            "The most is what whole nodes and whole cores of the database do at full use.",
        ),
    )


def _inference(capacity: Capacity) -> Section:
    return Section(
        "Who analyses: beside the camera, the rest in the cloud",
        ("at the edge", "load", "edge cores", "cloud cores", "cloud nodes", "pictures, Mb/s"),
        [
            (
                f"{each.edge_share:.0%}",
                each.load,
                amount(each.edge_cores),
                amount(each.cloud_cores),
                f"{each.cloud_nodes:,}",
                amount(each.network_mbit_s),
            )
            for each in capacity.inference
        ],
        (
            "The agent decodes, tracks and keeps the outbox in any case, so its cores are never 0.",
            "Edge cores are work, not boxes: what stands beside a camera is sized for its peak.",
        ),
    )


def _money(capacity: Capacity) -> Section:
    most = max((each.total for each in capacity.money if each.load == "peak"), default=1.0)
    return Section(
        "US$ for a million results",
        (
            "at the edge",
            "rented for",
            "gateway",
            "database",
            "disk",
            "network",
            "cloud",
            "edge",
            "all",
            "at the peak",
        ),
        [_money_row(each, most) for each in capacity.money],
        (
            "Rented for a load means all day long; the results are those of the day.",
            "So what is rented for the spike is idle most of the time.",
        ),
    )


def _money_row(money: Money, most: float) -> tuple[str, ...]:
    parts = (
        money.gateway,
        money.database,
        money.disk,
        money.network,
        money.cloud,
        money.edge,
        money.total,
    )
    is_peak = money.load == "peak" and most > 0
    bar = "█" * max(1, round(_BAR * money.total / most)) if is_peak else ""
    return f"{money.edge_share:.0%}", money.load, *map(_dollars, parts), bar


def _disk(capacity: Capacity, given: Assumptions) -> Section:
    disk = capacity.disk
    return Section(
        "Disk, GB",
        ("results a day", "counts a day", "kept, one copy", "kept, all copies"),
        [
            tuple(
                amount(each)
                for each in (
                    disk.results_gb_day,
                    disk.counts_gb_day,
                    disk.kept_gb,
                    disk.all_copies_gb,
                )
            )
        ],
        (
            f"Results stay {amount(given.keep_days)} days.",
            f"Counts by minute stay {amount(given.keep_minutes_days)} days.",
            f"Counts by hour stay {amount(given.keep_hours_days)} days.",
        ),
    )


def _when(capacity: Capacity, given: Assumptions) -> Section:
    spike, back, live = capacity.spike, capacity.coming_back, capacity.live
    at_once = (
        f"A spike of {amount(given.spike)} times the peak for {amount(given.spike_s)} s leaves"
        f" {amount(spike.waiting_results / 1e6)} million results waiting in outboxes,"
        f" {amount(spike.waiting_mb_per_camera)} MB a camera; they are in"
        f" {amount(spike.gone_after_s / 60)} minutes later, and alerts go first. Pictures that the"
        " cloud cannot analyse in time are refused, not kept."
    )
    restart = (
        f"After a restart {back.agents:,} agents come back at once,"
        f" {amount(back.agents_per_process)} to each process (one a core), and have caught up"
        f" after {amount(back.caught_up_s)} s, in {amount(back.node_mb)} MB a node."
    )
    looking = (
        f"Each 1,000 who look at live video at once take {amount(live.cores)} cores and"
        f" {amount(live.network_mbit_s)} Mb/s more, {_dollars(live.money_per_hour)} US$ an hour."
    )
    return Section("On a hub rented for the peak", words=(at_once, restart, looking))


def _dollars(value: float) -> str:
    return f"{value:,.3f}" if value < 10 else f"{value:,.2f}"  # noqa: PLR2004 - as people write it
