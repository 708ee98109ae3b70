"""A labeler may take back what they decided, and goes on from where they were."""

import pytest

from tests.factories import START, Clock
from webapp.accounts.models import User
from webapp.datasets.models import Annotation
from webapp.review.actions import (
    HeldByAnother,
    RevisionConflict,
    claim_next,
    skip_item,
    submit_verdict,
    undo_last,
    undo_verdict,
)
from webapp.review.boxes import Box
from webapp.review.models import ReviewItem, ReviewQueue, Verdict
from webapp.review.queries import item_for_editor

A_CAR = Box(xyxy=(0.1, 0.2, 0.5, 0.6), label="car")


def test_it_works(queue: ReviewQueue, item: ReviewItem, bob: User, clock: Clock) -> None:
    submit_verdict(item=item, by=bob, revision=0, boxes=[A_CAR], at=clock.now())
    assert undo_last(queues=[queue], by=bob, at=clock.advance(seconds=3)) == item
    item.refresh_from_db()
    assert item.state == ReviewItem.State.OPEN
    assert item.revision == 2
    assert item.leases.get().holder == bob
    assert not Annotation.objects.filter(is_current=True).exists()


def test_the_editor_goes_on_with_the_boxes_that_were_saved(
    queue: ReviewQueue, item: ReviewItem, bob: User
) -> None:
    submit_verdict(item=item, by=bob, revision=0, boxes=[A_CAR], at=START)
    reopened = undo_last(queues=[queue], by=bob, at=START)
    assert reopened is not None
    assert item_for_editor(reopened, by=bob, at=START).boxes == [A_CAR]


def test_an_item_taken_back_can_be_decided_again(
    queue: ReviewQueue, item: ReviewItem, bob: User
) -> None:
    submit_verdict(item=item, by=bob, revision=0, boxes=[A_CAR], at=START)
    undo_last(queues=[queue], by=bob, at=START)
    submit_verdict(item=item, by=bob, revision=2, boxes=[], at=START)
    assert Annotation.objects.get(is_current=True).boxes == []
    assert Verdict.objects.count() == 2


@pytest.mark.parametrize("skip_as", ["passed", "ambiguous"])
def test_a_skip_can_be_taken_back(
    queue: ReviewQueue, item: ReviewItem, bob: User, skip_as: str
) -> None:
    skip_item(
        item=item,
        by=bob,
        revision=0,
        skip_as="passed" if skip_as == "passed" else "ambiguous",
        at=START,
    )
    undo_last(queues=[queue], by=bob, at=START)
    assert claim_next(queue=queue, by=bob, at=START) == item


def test_nothing_left_to_take_back(queue: ReviewQueue, item: ReviewItem, bob: User) -> None:
    submit_verdict(item=item, by=bob, revision=0, boxes=[], at=START)
    assert undo_last(queues=[queue], by=bob, at=START) == item
    assert undo_last(queues=[queue], by=bob, at=START) is None


def test_somebody_elses_verdict_stands(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User
) -> None:
    verdict = submit_verdict(item=item, by=bob, revision=0, boxes=[], at=START)
    assert undo_last(queues=[queue], by=bea, at=START) is None
    with pytest.raises(RevisionConflict, match="not yours"):
        undo_verdict(verdict=verdict, by=bea, at=START)


def test_a_verdict_is_taken_back_once(item: ReviewItem, bob: User) -> None:
    verdict = submit_verdict(item=item, by=bob, revision=0, boxes=[], at=START)
    undo_verdict(verdict=verdict, by=bob, at=START)
    with pytest.raises(RevisionConflict):
        undo_verdict(verdict=verdict, by=bob, at=START)


def test_what_was_passed_on_stays_with_who_took_it(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User
) -> None:
    skip_item(item=item, by=bob, revision=0, skip_as="passed", at=START)
    claim_next(queue=queue, by=bea, at=START)
    with pytest.raises(HeldByAnother):
        undo_last(queues=[queue], by=bob, at=START)
