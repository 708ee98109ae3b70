"""The tier's figures for Prometheus, read when it asks."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from processing.tier.front.bodies import Bodies
from processing.tier.front.door import Door
from processing.tier.hub.metering import Uses
from processing.tier.local import LocalTier

disable_created_metrics()  # type: ignore[no-untyped-call]  # half as many lines, nobody asks

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


class TierFigures(Collector):
    """What becomes of pictures within a local tier, by version."""

    def __init__(self, tier: LocalTier) -> None:
        self._tier = tier

    def collect(self) -> Iterator[Metric]:
        counts = CounterMetricFamily(
            f"{_PREFIX}_version_pictures",
            "Pictures offered to a version, by how it went.",
            labels=("version", "outcome"),
        )
        refused = CounterMetricFamily(
            f"{_PREFIX}_version_refused",
            "Pictures that a version refused, by why.",
            labels=("version", "reason"),
        )
        batches = CounterMetricFamily(
            f"{_PREFIX}_version_batches",
            "Batches by how many pictures were in them.",
            labels=("version", "size"),
        )
        seconds = CounterMetricFamily(
            f"{_PREFIX}_version_seconds",
            "What answered pictures took, by what for.",
            labels=("version", "stage"),
        )
        error = GaugeMetricFamily(
            f"{_PREFIX}_version_forecast_error_seconds",
            "How far from the forecast, either way, answers of a version come of late.",
            labels=("version",),
        )
        for digest, batcher in self._tier.batchers().items():
            figures = batcher.figures
            error.add_metric((digest,), batcher.times.error_s)
            for outcome, n in (
                ("answered", figures.n_answered),
                ("late", figures.n_late),
                ("failed", figures.n_failed),
                ("bad", figures.n_bad),
                ("cancelled", figures.n_cancelled),
            ):
                counts.add_metric((digest, outcome), n)
            for reason, n in figures.refused.items():
                refused.add_metric((digest, reason), n)
            for size, n in figures.batches.items():
                batches.add_metric((digest, str(size)), n)
            seconds.add_metric((digest, "waiting"), figures.waited_s)
            seconds.add_metric((digest, "decoding"), figures.decode_s)
            seconds.add_metric((digest, "inference"), figures.infer_s)
        yield from (counts, refused, batches, seconds, error, self._disagreements())

    def _disagreements(self) -> Metric:
        compared = CounterMetricFamily(
            f"{_PREFIX}_shadow_pictures",
            "Pictures that shadow versions judged as well, by whether they agreed.",
            labels=("model", "agreed"),
        )
        for model, figures in self._tier.model_figures.items():
            compared.add_metric((model, "no"), figures.n_disagreed)
            compared.add_metric((model, "yes"), figures.n_compared - figures.n_disagreed)
        return compared
