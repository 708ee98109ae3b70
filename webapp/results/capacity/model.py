"""Nodes, cores, disk, network and money: arithmetic on what was measured and assumed, no more."""

from math import ceil
from typing import Final

import msgspec

from webapp.results.capacity.assumptions import Assumptions
from webapp.results.capacity.reports import Measured

EDGE_SHARES: Final = (0.0, 0.9, 0.99)
"""How much of all pictures is analysed beside the camera; the cloud does the rest."""

_DAY_S: Final = 86_400
_DAY_HOURS: Final = 24
_DAY_MINUTES: Final = 1440
_MONTH_DAYS: Final = 30
_GB: Final = 1e9
_MILLION: Final = 1e6
_FEWEST_GATEWAYS: Final = 2
"""So that one may fail, or be restarted."""


class Hub(msgspec.Struct, frozen=True):
    """What takes results in: gateways, and databases with their copies."""

    load: str
    results_per_s: float
    gateway_cores: float
    gateway_nodes: int
    database_cores: float
    """Of all databases that are written to; each copy needs as many again."""
    databases: int
    database_cores_rented: int
    most_results_per_s: float
    """What is rented does no more than this, at full use."""
    network_mbit_s: float


class Inference(msgspec.Struct, frozen=True):
    """Who looks at pictures, for a share that is analysed beside the camera."""

    load: str
    edge_share: float
    edge_cores: float
    cloud_cores: float
    cloud_nodes: int
    network_mbit_s: float
    """Of pictures on their way to the cloud."""


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """For a million results, where what is rented all day is what this load takes."""

    load: str
    edge_share: float
    gateway: float
    database: float
    disk: float
    network: float
    cloud: float
    edge: float
    total: float


class Disk(msgspec.Struct, frozen=True):
    """Of one copy a day, of one copy after all that is kept, and of all copies."""

    results_gb_day: float
    counts_gb_day: float
    kept_gb: float
    all_copies_gb: float


class Spike(msgspec.Struct, frozen=True):
    """A spike that meets a hub sized for the peak."""

    waiting_results: float
    """In agents' outboxes, when it ends."""
    waiting_mb_per_camera: float
    gone_after_s: float
    """After its end."""


class Return(msgspec.Struct, frozen=True):
    """All agents come back at once after a restart, to a hub sized for the peak."""

    agents: int
    agents_per_process: float
    caught_up_s: float
    node_mb: float


class Live(msgspec.Struct, frozen=True):
    """For each 1,000 who look at once, besides all else."""

    cores: float
    network_mbit_s: float
    money_per_hour: float


class Capacity(msgspec.Struct, frozen=True):
    """The whole answer."""

    cameras: int
    hub: list[Hub]
    inference: list[Inference]
    disk: Disk
    money: list[Money]
    spike: Spike
    coming_back: Return
    live: Live


def compute(measured: Measured, given: Assumptions) -> Capacity:
    """Return what it takes. The hub must see every result, whoever looked at the picture."""
    mean = given.requests_per_day / _DAY_S
    loads = {"mean": mean, "peak": mean * given.peak, "spike": mean * given.peak * given.spike}
    cameras = ceil(loads["peak"] / given.fps)
    hub = [_hub(load, per_s, measured, given) for load, per_s in loads.items()]
    inference = [
        _inference(load, per_s, share, measured, given)
        for share in EDGE_SHARES
        for load, per_s in loads.items()
    ]
    disk = _disk(cameras, given)
    hubs = {each.load: each for each in hub}
    return Capacity(
        cameras=cameras,
        hub=hub,
        inference=inference,
        disk=disk,
        money=[_money(hubs[each.load], each, disk, given) for each in inference],
        spike=_spike(hubs["peak"], loads["spike"], cameras, given),
        coming_back=_coming_back(hubs["peak"], cameras, measured, given),
        live=_live(measured, given),
    )


def _hub(load: str, per_s: float, measured: Measured, given: Assumptions) -> Hub:
    cost = measured.ingest.figures
    # The figures are of a handful of agents; a hub of this size has hundreds a process.
    dearer = max(1.0, cost.growth_1000_agents_cost_ratio) / _MILLION
    gateway_s = cost.gateway_cpu_s_per_million_results * dearer
    database_s = cost.database_cpu_s_per_million_results * dearer
    gateway_cores = per_s * gateway_s / given.busy
    database_cores = per_s * database_s / given.busy
    nodes = max(_FEWEST_GATEWAYS, ceil(gateway_cores / given.node_cores))
    rented = max(1, ceil(database_cores))
    return Hub(
        load=load,
        results_per_s=per_s,
        gateway_cores=gateway_cores,
        gateway_nodes=nodes,
        database_cores=database_cores,
        databases=ceil(rented / given.database_cores),
        database_cores_rented=rented,
        most_results_per_s=min(nodes * given.node_cores / gateway_s, rented / database_s),
        network_mbit_s=_mbit(per_s * given.result_bytes),
    )


def _inference(
    load: str, per_s: float, edge_share: float, measured: Measured, given: Assumptions
) -> Inference:
    cost = measured.edge.figures
    decode_all_ms = cost.cpu_ms_decode * max(1.0, given.video_fps / given.fps)
    # Whoever looks at a picture, its agent decodes the video, tracks and keeps the outbox.
    edge_ms = decode_all_ms + edge_share * cost.cpu_ms_infer + max(0.0, cost.cpu_ms_rest)
    cloud_ms = (1.0 - edge_share) * (cost.cpu_ms_decode + cost.cpu_ms_infer)
    cloud_cores = per_s * cloud_ms / 1000.0 / given.busy
    return Inference(
        load=load,
        edge_share=edge_share,
        edge_cores=per_s * edge_ms / 1000.0 / given.busy,
        cloud_cores=cloud_cores,
        cloud_nodes=ceil(cloud_cores / given.node_cores),
        network_mbit_s=_mbit(per_s * (1.0 - edge_share) * given.picture_bytes),
    )


def _disk(cameras: int, given: Assumptions) -> Disk:
    results = given.requests_per_day * given.row_bytes / _GB
    minutes = cameras * _DAY_MINUTES * given.minute_bytes / _GB
    hours = cameras * _DAY_HOURS * given.minute_bytes / _GB
    kept = (
        results * given.keep_days
        + minutes * given.keep_minutes_days
        + hours * given.keep_hours_days
    )
    return Disk(results, minutes + hours, kept, kept * given.copies)


def _money(hub: Hub, inference: Inference, disk: Disk, given: Assumptions) -> Money:
    millions_per_day = given.requests_per_day / _MILLION
    core_day = given.price_core_hour * _DAY_HOURS / millions_per_day
    edge_core_day = given.price_edge_core_hour * _DAY_HOURS / millions_per_day
    gb_day = given.price_gb_month / _MONTH_DAYS / millions_per_day
    pictures = (1.0 - inference.edge_share) * given.picture_bytes
    parts = {
        "gateway": hub.gateway_nodes * given.node_cores * core_day,
        "database": hub.database_cores_rented * given.copies * core_day,
        "disk": disk.all_copies_gb * gb_day,
        "network": (given.result_bytes + pictures) * _MILLION / _GB * given.price_gb_in,
        "cloud": inference.cloud_nodes * given.node_cores * core_day,
        "edge": inference.edge_cores * edge_core_day,
    }
    total = sum(parts.values())
    return Money(load=hub.load, edge_share=inference.edge_share, **parts, total=total)


def _spike(rented: Hub, spike_per_s: float, cameras: int, given: Assumptions) -> Spike:
    waiting = max(0.0, spike_per_s - rented.most_results_per_s) * given.spike_s
    return Spike(
        waiting_results=waiting,
        waiting_mb_per_camera=waiting * given.result_bytes / cameras / _MILLION,
        gone_after_s=waiting / (rented.most_results_per_s - rented.results_per_s),
    )


def _coming_back(hub: Hub, cameras: int, measured: Measured, given: Assumptions) -> Return:
    storm = measured.storm
    agents = ceil(cameras / given.cameras_per_agent)
    per_process = agents / (hub.gateway_nodes * given.node_cores)
    # One process took in all of the benchmark's agents. Less than its start-up is not promised.
    times = max(1.0, per_process / storm.figures.agents)
    return Return(
        agents=agents,
        agents_per_process=per_process,
        caught_up_s=storm.figures.caught_up_s * times,
        node_mb=storm.figures.hub_peak_mb * given.node_cores,
    )


def _live(measured: Measured, given: Assumptions) -> Live:
    ms_per_s = 1000 * given.video_fps * measured.live.figures.hub_cpu_ms_per_picture
    cores = ms_per_s / 1000.0 / given.busy
    mbit_s = 1000 * given.viewer_mbit_s
    gb_per_hour = mbit_s * _MILLION / 8 * 3600 / _GB
    return Live(cores, mbit_s, cores * given.price_core_hour + gb_per_hour * given.price_gb_out)


def _mbit(bytes_per_s: float) -> float:
    return bytes_per_s * 8 / _MILLION
