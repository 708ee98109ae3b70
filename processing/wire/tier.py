"""What an inference tier and the hub say to each other, as JSON over HTTP; the tier always asks.

`POST /api/v1/tier/grants/` with a `GrantAsked`: what may this bearer do? (As OAuth 2.0 token
introspection, RFC 7662.) `POST /api/v1/tier/reports/` with a `TierReport`, every `REPORT_EVERY_S`:
how it is and what was used since the report before; the answer is a `TierWanted`. Both with the
tier's own token as bearer.
"""

import re
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

from processing.wire import limits
from processing.wire.fields import Instant, Labels, Name, Share, Text

REPORT_EVERY_S: Final = 5.0
MAX_BEARER: Final = 512
MAX_MODELS: Final = 64
MAX_USES: Final = 1000
MAX_USED: Final = 10**15
"""Of anything, in one report: what is added up stays within what databases count."""

DigestHex = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
"""A bundle's digest (`fields.Digest`), hexadecimal."""
ModelName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
_UNFIT: Final = re.compile(r"[^a-z0-9._-]+")
Scope = Literal["detect", "models"]
"""May have pictures judged; may read what is served."""
Outcome = Literal["answered", "refused", "late", "failed", "bad"]


def model_name(bundle_name: str) -> str:
    """Return under which `ModelName` a bundle of this name is served."""
    fitting = _UNFIT.sub("-", bundle_name.lower()).lstrip("._-")
    return fitting[:64] or "model"


class GrantAsked(Struct, frozen=True, kw_only=True):
    """Whoever came with this: what may they do?"""

    bearer: Annotated[str, Meta(min_length=1, max_length=MAX_BEARER)]


class Grant(Struct, frozen=True, kw_only=True):
    """What a bearer may do, until it lapses. A hub that knows none answers 404."""

    grant_id: UUID
    """Of the API key, or of the agent."""
    kind: Literal["key", "agent", "hub"]
    organization_id: UUID
    scopes: tuple[Scope, ...]
    pictures_per_s: Annotated[float, Meta(gt=0)]
    burst: Annotated[int, Meta(ge=1)]
    n_left_today: Annotated[int, Meta(ge=0)] | None = None
    """Pictures; None: no limit a day."""
    expires_s: Annotated[float, Meta(gt=0, le=3600)] = 30.0
    """Ask again after so long."""


class Use(Struct, frozen=True, kw_only=True):
    """What one grant had done with one model since the report before."""

    grant_id: UUID
    kind: Literal["key", "agent", "hub"]
    organization_id: UUID
    model: ModelName
    outcomes: dict[Outcome, Annotated[int, Meta(ge=0, le=MAX_USED)]]
    """Pictures, by how it went."""
    n_bytes: Annotated[int, Meta(ge=0, le=MAX_USED)] = 0
    """Of pictures taken in."""
    busy_ms: Annotated[float, Meta(ge=0, le=MAX_USED)] = 0.0
    """Decoding and judging, of those that were answered."""


class TierBundle(Struct, frozen=True, kw_only=True):
    """A bundle in the tier's folder, whether or not it is served."""

    digest: DigestHex
    name: Name
    version: Name
    labels: Labels
    state: Literal["available", "loading", "ready", "failed", "unloading"]
    reason: Text = ""
    memory_bytes: Annotated[int, Meta(ge=0)] = 0


class TierQueue(Struct, frozen=True, kw_only=True):
    """How full a model's queue is."""

    model: ModelName
    n_waiting: Annotated[int, Meta(ge=0)]
    wait_ms: Annotated[float, Meta(ge=0)]
    pictures_per_s: Annotated[float, Meta(ge=0)]
    disagreement: Share | None = None
    """Of the pictures that shadow versions judged as well, how many they judged otherwise."""


class TierReport(Struct, frozen=True, kw_only=True):
    """How a tier is. The same (tier, boot, number) is counted once, however often it comes."""

    tier_id: UUID
    """Kept in its data folder."""
    boot_id: UUID
    number: Annotated[int, Meta(ge=1)]
    at: Instant
    software: Name
    device: Name
    bundles: Annotated[tuple[TierBundle, ...], Meta(max_length=MAX_MODELS)] = ()
    queues: Annotated[tuple[TierQueue, ...], Meta(max_length=MAX_MODELS)] = ()
    uses: Annotated[tuple[Use, ...], Meta(max_length=MAX_USES)] = ()
    problems: Annotated[tuple[Text, ...], Meta(max_length=20)] = ()


class WantedVersion(Struct, frozen=True, kw_only=True):
    """A version, and how much of what comes it takes."""

    digest: DigestHex
    weight: Annotated[float, Meta(ge=0.0, le=1000.0)] = 1.0
    is_shadow: bool = False


class WantedModel(Struct, frozen=True, kw_only=True):
    """What is served under a name."""

    model: ModelName
    versions: Annotated[tuple[WantedVersion, ...], Meta(min_length=1, max_length=16)]


class TierWanted(Struct, frozen=True, kw_only=True):
    """What the hub wants served. Without models: every bundle, under its own name."""

    models: Annotated[tuple[WantedModel, ...], Meta(max_length=MAX_MODELS)] = ()


# ---------------------------------------------------------------- whoever has pictures judged

MAX_PICTURE_BYTES: Final = 8 * 1024 * 1024
"""Of one picture for `POST /api/v1/detect/`."""


class FoundThing(Struct, frozen=True, kw_only=True):
    """One detection."""

    label: int
    """Index into the version's labels."""
    name: str
    score: float
    box: tuple[float, float, float, float]
    """x0, y0, x1, y1 as shares of the picture's width and height."""


class Judged(Struct, frozen=True, kw_only=True):
    """The answer of `POST /api/v1/detect/`: what is in the picture."""

    model: str
    version: DigestHex
    width: Annotated[int, Meta(ge=1)]
    height: Annotated[int, Meta(ge=1)]
    detections: Annotated[tuple[FoundThing, ...], Meta(max_length=limits.MAX_DETECTIONS)]
    waited_ms: float
    decode_ms: float
    infer_ms: float
