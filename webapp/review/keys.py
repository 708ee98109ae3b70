"""The editor's keys as each labeler has them: they go wherever the labeler does."""

from typing import Annotated

from msgspec import Meta, Struct

from webapp.accounts.models import User
from webapp.review.models import LabelerKeys
from webapp.review.queries import labelers_queues

Deed = Annotated[str, Meta(min_length=1, max_length=24, pattern="^[A-Za-z]+$")]
Combination = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[^\x00]+$")]
Keys = dict[Deed, Annotated[tuple[Combination, ...], Meta(max_length=4)]]


class KeysRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which deeds a labeler gave other keys."""

    keys: Annotated[Keys, Meta(max_length=64)]


def keys_of(labeler: User) -> Keys:
    """Return the keys that `labeler` chose; what is absent is as at first."""
    kept = LabelerKeys.objects.filter(user=labeler).first()
    return {} if kept is None else kept.keys


def keep_keys(keys: Keys, *, of: User) -> None:
    """Remember the keys of a labeler who has work; without any there is nothing to press."""
    queue = labelers_queues(of).first()
    if queue is not None:
        LabelerKeys.objects.update_or_create(
            organization_id=queue.organization_id, user=of, defaults={"keys": keys}
        )
