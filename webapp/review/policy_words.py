"""A queue's policy in words: what labelers are asked about there, with its figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from webapp.datasets.models import Sample
from webapp.review.models import ReviewQueue
from webapp.review.picking import policy_of
from webapp.review.policies import Reason, SelectionPolicy

_WHY: Final[dict[Reason, str]] = {
    "low_confidence": "the model is {policy.low_score:.0%} to {policy.high_score:.0%} sure",
    "near_threshold": "a score within {policy.threshold_margin:.0%} of the camera's threshold",
    "flicker": "something is seen in at most {policy.steady_share:.0%} of its frames",
    "shadow": "another model that looked at it, in a batch or beside this one, differs",
    "cloud": "the model in the cloud differs",
    "novelty": "to the network at least {policy.novelty_to_network:.3f} from the nearest labelled "
    "picture (0 alike, 1 not); while few are labelled, looks at least {policy.novelty:.2f} from "
    "the nearest",
    "drift": "something is wrong with the camera's pictures; an event says what",
    "rare_class": "a class that is less than {policy.rare_share:.1%} of all that is labelled",
    "random": "{policy.random_share:.0%} of a camera's pictures, so that figures stay unbiased",
    "false_alarm": "somebody says that an alert was none; these come first",
    "reported": "somebody says that something is wrong; these come first",
    "imported": "brought in to be labelled",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One reason why a picture comes to a queue."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class QueueInWords:
    """What comes to a queue, and how much of it."""

    name: str
    asked: Sequence[Asked]
    most: str
    """Its budgets."""


def queue_in_words(queue: ReviewQueue) -> QueueInWords:
    """Return what comes to `queue`."""
    policy = policy_of(queue)
    asked = [
        Asked(Sample.Reason(reason).label, _WHY[reason].format(policy=policy))
        for reason in policy.reasons
    ]
    return QueueInWords(queue.name, asked, _budgets(policy))


def _budgets(policy: SelectionPolicy) -> str:
    if policy.items_a_day == 0:
        return "Takes only what people send."
    alike = "; nearly the same picture never comes twice" if policy.alike_bits else ""
    a_camera = min(policy.items_a_camera_and_day, policy.items_a_day)
    return f"At most {policy.items_a_day} pictures a day, {a_camera} of one camera{alike}."
