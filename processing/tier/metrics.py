"""The tier's figures for Prometheus, read when it asks."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from processing.tier.bodies import Bodies
from processing.tier.door import Door
from processing.tier.metering import Uses

_PREFIX: Final = "farwatch_tier"


class DoorFigures(Collector):
    """What goes in at the door, how full it is behind it, and what the hub has yet to count."""

    def __init__(self, door: Door, bodies: Bodies, uses: Uses) -> None:
        self._door = door
        self._bodies = bodies
        self._uses = uses

    def collect(self) -> Iterator[Metric]:
        yield self._outcomes()
        yield from self._queues()
        yield self._versions()
        yield GaugeMetricFamily(
            f"{_PREFIX}_bodies_bytes", "Of requests that are held.", self._bodies.n_bytes
        )
        yield GaugeMetricFamily(
            f"{_PREFIX}_uses_waiting", "Rows of uses to be reported.", len(self._uses)
        )
        yield CounterMetricFamily(
            f"{_PREFIX}_uses_lost", "Pictures nobody will be told of.", self._uses.n_lost
        )

    def _outcomes(self) -> Metric:
        family = CounterMetricFamily(
            f"{_PREFIX}_pictures", "Pictures by how it went.", labels=("outcome",)
        )
        for outcome, n in self._door.outcomes.items():
            family.add_metric((outcome,), n)
        return family

    def _queues(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            f"{_PREFIX}_queue_pictures", "Pictures that wait.", labels=("model",)
        )
        wait = GaugeMetricFamily(
            f"{_PREFIX}_queue_wait_seconds", "Expected of one that comes now.", labels=("model",)
        )
        for capacity in self._door.tier.capacity():
            waiting.add_metric((capacity.model,), capacity.n_waiting)
            wait.add_metric((capacity.model,), capacity.wait_ms / 1000.0)
        yield waiting
        yield wait

    def _versions(self) -> Metric:
        family = GaugeMetricFamily(
            f"{_PREFIX}_version_memory_bytes", "Of a version.", labels=("model", "version", "state")
        )
        for status in self._door.tier.models():
            family.add_metric((status.model, status.digest, status.state), status.memory_bytes)
        return family
