"""What a labeler saves becomes the truth about a sample."""

import pytest

from tests.factories import START, Clock, make_detections
from webapp.accounts.models import User
from webapp.common.models import Change
from webapp.datasets.models import Annotation
from webapp.review.actions import (
    HeldByAnother,
    RevisionConflict,
    claim_next,
    renew_lease,
    submit_verdict,
)
from webapp.review.boxes import BadBox, Box
from webapp.review.leasing import BEAT
from webapp.review.models import Lease, ReviewItem, ReviewQueue, Verdict
from webapp.review.queries import item_for_editor, predictions_of

A_CAR = Box(xyxy=(0.1, 0.2, 0.5, 0.6), label="car")


def as_predicted(item: ReviewItem) -> list[Box]:
    return [Box(xyxy=box.xyxy, label=box.label) for box in predictions_of(item.sample)]


def test_it_works(queue: ReviewQueue, item: ReviewItem, bob: User, clock: Clock) -> None:
    claim_next(queue=queue, by=bob, at=clock.now())
    at = clock.advance(seconds=7)
    verdict = submit_verdict(item=item, by=bob, revision=0, boxes=[A_CAR], at=at)
    item.refresh_from_db()
    assert item.state == ReviewItem.State.DONE
    assert item.revision == 1
    assert verdict.outcome == Verdict.Outcome.CORRECTED
    assert verdict.seconds == 7.0
    truth = Annotation.objects.get(is_current=True)
    assert truth.boxes == [{"xyxy": [0.1, 0.2, 0.5, 0.6], "label": "car"}]
    assert truth.author == bob
    assert not Lease.objects.exists()
    assert Change.objects.filter(topic="review").exists()


def test_boxes_left_as_predicted_are_accepted(item: ReviewItem, bob: User) -> None:
    boxes = list(reversed(as_predicted(item)))
    verdict = submit_verdict(item=item, by=bob, revision=0, boxes=boxes, at=START)
    assert verdict.outcome == Verdict.Outcome.ACCEPTED


def test_a_box_moved_by_a_pixel_is_corrected(item: ReviewItem, bob: User) -> None:
    first, *rest = as_predicted(item)
    x0, y0, x1, y1 = first.xyxy
    moved = Box(xyxy=(x0 + 1 / 640, y0, x1 + 1 / 640, y1), label=first.label)
    verdict = submit_verdict(item=item, by=bob, revision=0, boxes=[moved, *rest], at=START)
    assert verdict.outcome == Verdict.Outcome.CORRECTED


def test_another_class_is_corrected(item: ReviewItem, bob: User) -> None:
    first, *rest = as_predicted(item)
    other = Box(xyxy=first.xyxy, label="car")
    verdict = submit_verdict(item=item, by=bob, revision=0, boxes=[other, *rest], at=START)
    assert verdict.outcome == Verdict.Outcome.CORRECTED


def test_an_empty_picture_is_a_truth_too(item: ReviewItem, bob: User) -> None:
    verdict = submit_verdict(item=item, by=bob, revision=0, boxes=[], at=START)
    assert verdict.outcome == Verdict.Outcome.CORRECTED
    assert Annotation.objects.get().boxes == []


def test_nothing_predicted_and_nothing_drawn_is_accepted(item: ReviewItem, bob: User) -> None:
    item.sample.predictions = make_detections()
    item.sample.save()
    verdict = submit_verdict(item=item, by=bob, revision=0, boxes=[], at=START)
    assert verdict.outcome == Verdict.Outcome.ACCEPTED


def test_a_prediction_too_thin_to_edit_does_not_count(item: ReviewItem, bob: User) -> None:
    item.sample.width = 10  # both predictions are half a pixel wide now
    item.sample.save()
    verdict = submit_verdict(item=item, by=bob, revision=0, boxes=[], at=START)
    assert verdict.outcome == Verdict.Outcome.ACCEPTED


def test_without_a_claim_the_time_is_unknown(item: ReviewItem, bob: User) -> None:
    verdict = submit_verdict(item=item, by=bob, revision=0, boxes=[], at=START)
    assert verdict.seconds is None


def test_a_lease_that_ran_out_unnoticed_does_not_cost_the_work(
    queue: ReviewQueue, item: ReviewItem, bob: User, clock: Clock
) -> None:
    claim_next(queue=queue, by=bob, at=clock.now())
    at = clock.advance(hours=1)
    verdict = submit_verdict(item=item, by=bob, revision=0, boxes=[A_CAR], at=at)
    assert verdict.seconds == BEAT.total_seconds()


def test_only_time_with_signs_of_life_counts_as_work(
    queue: ReviewQueue, item: ReviewItem, bob: User, clock: Clock
) -> None:
    claim_next(queue=queue, by=bob, at=clock.now())
    for _ in range(4):
        renew_lease(item=item, by=bob, at=clock.advance(seconds=30))
    renew_lease(item=item, by=bob, at=clock.advance(minutes=9))  # back from a coffee
    at = clock.advance(seconds=5)
    verdict = submit_verdict(item=item, by=bob, revision=0, boxes=[A_CAR], at=at)
    assert verdict.seconds == 4 * 30 + BEAT.total_seconds() + 5


def test_an_older_revision_conflicts(item: ReviewItem, bob: User, bea: User) -> None:
    submit_verdict(item=item, by=bea, revision=0, boxes=[A_CAR], at=START)
    with pytest.raises(RevisionConflict) as conflict:
        submit_verdict(item=item, by=bob, revision=0, boxes=[], at=START)
    now = item_for_editor(conflict.value.item, by=bob, at=START)
    assert now.revision == 1
    assert now.decided is not None
    assert now.decided.by == "bea"
    assert now.decided.boxes == [A_CAR]
    assert Annotation.objects.get().author == bea


def test_a_decided_item_is_not_decided_again(item: ReviewItem, bob: User, bea: User) -> None:
    submit_verdict(item=item, by=bea, revision=0, boxes=[A_CAR], at=START)
    with pytest.raises(RevisionConflict, match="decided"):
        submit_verdict(item=item, by=bob, revision=1, boxes=[], at=START)


def test_an_item_in_other_hands_is_not_decided(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User
) -> None:
    claim_next(queue=queue, by=bea, at=START)
    with pytest.raises(HeldByAnother):
        submit_verdict(item=item, by=bob, revision=0, boxes=[A_CAR], at=START)
    assert not Annotation.objects.exists()


def test_boxes_that_cannot_be_change_nothing(item: ReviewItem, bob: User) -> None:
    with pytest.raises(BadBox) as refusal:
        submit_verdict(
            item=item, by=bob, revision=0, boxes=[A_CAR, Box((0, 0, 1, 1), "ghost")], at=START
        )
    assert refusal.value.field == "boxes.1.label"
    item.refresh_from_db()
    assert item.state == ReviewItem.State.OPEN
    assert item.revision == 0
    assert not Verdict.objects.exists()
