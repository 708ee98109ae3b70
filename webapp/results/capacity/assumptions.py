"""What no benchmark can know: how much is asked for, how it is kept, what it costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Final, NamedTuple


class Assumption(NamedTuple):
    """One of them, as people read it."""

    name: str
    value: float
    words: str
    source: str
    low: float
    high: float

    @property
    def option(self) -> str:
        """The option of `manage.py capacity` that sets it."""
        return f"--{self.name.replace('_', '-')}"


class UnusableAssumption(ValueError):
    """A value is out of its range; the text names it and says which range."""


def _assumed(value: float, words: str, source: str, *, low: float = 0.0, high: float) -> float:
    known = {"words": words, "source": source, "low": low, "high": high}
    made: float = field(default=value, metadata=known)
    return made


_LIST_PRICE: Final = "a large cloud's list price in US$, about; give yours"


@dataclass(frozen=True)
class Assumptions:
    """Each is an option of `manage.py capacity`. Raises `UnusableAssumption`."""

    requests_per_day: float = _assumed(
        1e9,
        "requests a day; one is one analysed picture and its result in the table",
        "what Farwatch is designed for",
        low=1,
        high=1e13,
    )
    peak: float = _assumed(
        3,
        "times the mean, in the busiest hour",
        "the design's 36 K a second at a mean of 12 K",
        low=1,
        high=1000,
    )
    spike: float = _assumed(
        10, "times the peak: the hardest reading of a 10x spike", "the design", low=1, high=1000
    )
    spike_s: float = _assumed(60, "seconds of it", "the design: a minute", low=1, high=86_400)
    busy: float = _assumed(
        0.6, "share of a core in use when all is well", "rule of thumb", low=0.05, high=0.95
    )
    node_cores: float = _assumed(8, "cores of a node", "an ordinary one", low=1, high=1024)
    database_cores: float = _assumed(
        64, "cores of the largest database", "what can be rented", low=1, high=1024
    )
    copies: float = _assumed(
        2, "databases with the same data", "one that stands by", low=1, high=16
    )
    fps: float = _assumed(
        5,
        "analysed pictures a second and camera, at the peak",
        "as in `benchmarks edge`",
        low=0.01,
        high=240,
    )
    video_fps: float = _assumed(
        15, "pictures a second that are decoded for them", "as in `benchmarks live`", high=240
    )
    cameras_per_agent: float = _assumed(4, "cameras of an agent", "a small box", low=1, high=256)
    result_bytes: float = _assumed(
        275,
        "bytes of a result with 12 detections on the wire",
        "counted: a batch of 20, compressed by nobody (a test holds it)",
        low=1,
        high=1e6,
    )
    picture_bytes: float = _assumed(
        26_000,
        "bytes of a picture sent to the cloud",
        "counted: a street at 640 pixels, JPEG of quality 80",
        low=1,
        high=1e8,
    )
    row_bytes: float = _assumed(
        460,
        "bytes of that result in PostgreSQL, indexes included",
        "counted: 435 of 200,000 in order, 470 after `benchmarks ingest`",
        low=1,
        high=1e6,
    )
    keep_days: float = _assumed(7, "days that results stay", "the default", low=1, high=36_500)
    minute_bytes: float = _assumed(
        1_060,
        "bytes of a camera's minute, or hour: one row and one for each of 3 classes",
        "counted in PostgreSQL: 202 and 287 a row, of 200,000",
        low=1,
        high=1e6,
    )
    keep_minutes_days: float = _assumed(45, "days that minutes stay", "the default", high=36_500)
    keep_hours_days: float = _assumed(400, "days that hours stay", "the default", high=36_500)
    price_core_hour: float = _assumed(
        0.048, "for a core and hour, hub and cloud", _LIST_PRICE, high=1e6
    )
    price_edge_core_hour: float = _assumed(
        0.0025,
        "for a core and hour beside a camera",
        "4 cores for 200 in 3 years, and 10 W",
        high=1e6,
    )
    price_gb_month: float = _assumed(0.08, "for a GB of SSD and month", _LIST_PRICE, high=1e6)
    price_gb_in: float = _assumed(
        0.008,
        "for a GB that comes in",
        "a load balancer's; a mobile uplink is far dearer",
        high=1e6,
    )
    price_gb_out: float = _assumed(0.09, "for a GB that goes out to viewers", _LIST_PRICE, high=1e6)
    viewer_mbit_s: float = _assumed(
        2, "Mb/s of a live camera, with video_fps pictures", "as in `benchmarks live`", high=1000
    )

    def __post_init__(self) -> None:
        for each in all_assumed(self):
            if not each.low <= each.value <= each.high:
                raise UnusableAssumption(
                    f"{each.option}: {each.value:g} is not between {each.low:g} and {each.high:g}"
                )


def all_assumed(values: Assumptions) -> Iterator[Assumption]:
    """Yield each with its value, in the order in which they are declared."""
    for each in fields(Assumptions):
        known: Mapping[str, object] = each.metadata
        yield Assumption(
            name=each.name,
            value=getattr(values, each.name),
            words=str(known["words"]),
            source=str(known["source"]),
            low=float(str(known["low"])),
            high=float(str(known["high"])),
        )
