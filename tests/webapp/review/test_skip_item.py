"""A labeler may leave an item: to somebody else, or because nobody can tell."""

from tests.factories import START, Clock
from webapp.accounts.models import User
from webapp.datasets.models import Annotation
from webapp.review.actions import claim_next, skip_item
from webapp.review.models import PASS_PAUSE, ReviewItem, ReviewQueue, Verdict


def test_passing_it_on_leaves_it_to_others(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User
) -> None:
    claim_next(queue=queue, by=bob, at=START)
    skip_item(item=item, by=bob, revision=0, skip_as="passed", at=START)
    assert claim_next(queue=queue, by=bob, at=START) is None
    assert claim_next(queue=queue, by=bea, at=START) == item


def test_what_one_passed_on_comes_back_to_them_later(
    queue: ReviewQueue, item: ReviewItem, bob: User, clock: Clock
) -> None:
    skip_item(item=item, by=bob, revision=0, skip_as="passed", at=clock.now())
    clock.advance(seconds=PASS_PAUSE.total_seconds())
    assert claim_next(queue=queue, by=bob, at=clock.now()) == item


def test_everybody_may_pass_it_on(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User
) -> None:
    skip_item(item=item, by=bob, revision=0, skip_as="passed", at=START)
    skip_item(item=item, by=bea, revision=1, skip_as="passed", at=START)
    item.refresh_from_db()
    assert item.state == ReviewItem.State.OPEN


def test_nobody_can_tell_closes_it_without_a_truth(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User
) -> None:
    verdict = skip_item(item=item, by=bob, revision=0, skip_as="ambiguous", at=START)
    item.refresh_from_db()
    assert item.state == ReviewItem.State.AMBIGUOUS
    assert verdict.outcome == Verdict.Outcome.AMBIGUOUS
    assert claim_next(queue=queue, by=bea, at=START) is None
    assert not Annotation.objects.exists()
