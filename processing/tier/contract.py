"""What every inference tier takes, answers and refuses: one contract, several tiers behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from processing.vision.detections import Detections

Urgency: TypeAlias = Literal["interactive", "batch"]
"""Somebody waits for it; or it fills what is left over."""

MAX_BUDGET_MS: Final = 60_000.0


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """A picture that came decoded, as programs send tensors."""

    rgb: NDArray[np.uint8]
    """(height, width, 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """One picture to look at, within a budget."""

    picture: bytes | Pixels
    """JPEG or PNG as it came, nothing of it decoded yet; or pixels."""
    model: str
    """The name under which versions are served; which of them looks is the router's choice."""
    budget_ms: float
    """How long the answer is of use, counted from its arrival here. Never an instant: the clocks
    of two machines differ."""
    tenant: str
    """Who pays: fairness and limits are among tenants."""
    version: str = ""
    """A bundle's digest in hexadecimal, to have that one look; empty: by the router."""
    sticky: str = ""
    """Equal for requests that the same version is to judge (a camera's id, a client's choice)."""
    urgency: Urgency = "interactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Where the time went, ms."""

    waited_ms: float
    decode_ms: float
    infer_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a version found in a picture."""

    found: Detections
    """In pixels of the picture as it was sent; above the bundle's own score floor."""
    width: int
    height: int
    version: str
    """The bundle's digest, hexadecimal."""
    labels: tuple[str, ...]
    """What the numbers in `found.labels` mean."""
    timings: Timings


class Refused(Exception):
    """Nothing was (or will be) judged; the text says why, in words for a person."""


class Overloaded(Refused):
    """It could not be judged within its budget, or its tenant asks for too much."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s: Final = retry_after_s


class TooLate(Refused):
    """It was taken in, but its budget ran out before a version could look."""


class UnknownModel(Refused):
    """No version is served under this name, or not this one."""


class BadInquiry(Refused):
    """The picture cannot be decoded, or is larger than is opened."""


class JudgeFailed(Refused):
    """The runtime failed on this picture; another time it may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How a model's queue is, for those who choose where to send their pictures."""

    model: str
    n_waiting: int
    wait_ms: float
    """How long a picture that comes now is expected to wait until it is judged."""
    pictures_per_s: float
    """What it judges at full load, as far as has been seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedVersion:
    """A version of a model that this tier has been told to serve."""

    digest: str
    """Of the bundle, hexadecimal."""
    weight: float = 1.0
    """Of the requests that name no version, how many it takes beside the others."""
    is_shadow: bool = False
    """It judges copies when there is room; nobody waits for what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What is wanted under one name."""

    model: str
    versions: tuple[ServedVersion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    """A version as it is here."""

    model: str
    digest: str
    name: str
    """The bundle's own name and version, for people."""
    state: Literal["loading", "ready", "failed", "unloading"]
    reason: str = ""
    """Why it failed, in words."""
    memory_bytes: int = 0
    labels: tuple[str, ...] = ()
    input_width: int = 0
    input_height: int = 0


@runtime_checkable
class Foresight(Protocol):
    """What a tier may be able to do beside: refuse before the picture has come."""

    def foresee(self, inquiry: Inquiry) -> Overloaded | None:
        """Return why it would be refused, which then counts as refused; None if it may come."""


class InferenceTier(Protocol):
    """All methods are called on one event loop; none of them blocks it."""

    async def submit(self, inquiry: Inquiry) -> Answer:
        """Return what was found. Raise a `Refused`; what cannot be done is refused at once."""

    def capacity(self) -> Sequence[Capacity]:
        """Return how full it is, a model each."""

    def models(self) -> Sequence[ModelStatus]:
        """Return what it serves, or fails to."""

    async def serve(self, wanted: Sequence[Serving]) -> None:
        """Bring about that exactly this is served: load, warm up, route, unload.

        A version is routed to once it is ready, and unloaded once it has answered.
        """

    async def drain(self, timeout_s: float) -> None:
        """Refuse what comes, answer what was taken in, and free everything."""
