"""What a queue asks of samples before labelers are asked about them: data, kept with the queue."""

from typing import Annotated, Final, Literal, TypeAlias, get_args

from msgspec import Meta, Struct

from processing.wire.fields import Share
from webapp.fleet.wishes import read_wish

Reason: TypeAlias = Literal[
    "low_confidence",
    "near_threshold",
    "flicker",
    "shadow",
    "cloud",
    "novelty",
    "drift",
    "rare_class",
    "random",
    "false_alarm",
    "reported",
    "imported",
]
"""Of `Sample.Reason`. Who runs a second model says "shadow" or "cloud" of the sample itself."""
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)


class SelectionPolicy(Struct, frozen=True, kw_only=True):
    """Which samples become items of a queue, and how many."""

    reasons: Annotated[tuple[Reason, ...], Meta(max_length=len(REASONS))] = REASONS
    """Good enough to be here; what has none of them goes to the next queue."""
    low_score: Share = 0.25
    high_score: Share = 0.45
    """A score between the two is low confidence."""
    threshold_margin: Share = 0.03
    """A score this close to its camera's threshold is near it."""
    steady_share: Share = 0.6
    """A track that is seen in less of its frames comes and goes."""
    novelty: Share = 0.15
    """A picture that looks this far from everything labelled is unlike it; see
    `processing.vision.looks`. For where the network cannot be asked."""
    novelty_to_network: Share = 0.05
    """The same by the network's embeddings, whose distances are smaller; see docs/quality.md."""
    rare_share: Share = 0.02
    """A class that makes up less of all that is labelled is rare."""
    items_a_day: Annotated[int, Meta(ge=0, le=1_000_000)] = 500
    items_a_camera_and_day: Annotated[int, Meta(ge=0, le=100_000)] = 40
    """An eighth of them in an hour, so that one bad hour leaves room for the rest of the day."""
    random_share: Share = 0.1
    """Of a camera's items, how many are taken at random: what is measured on those is unbiased."""
    alike_bits: Annotated[int, Meta(ge=0, le=64)] = 6
    """Two pictures whose fingerprints differ in no more, of the same things, are nearly one."""


def read_policy(given: object) -> SelectionPolicy:
    """Return what somebody wants as a policy; raise `webapp.fleet.wishes.BadWish` by field."""
    return read_wish(SelectionPolicy, given)
