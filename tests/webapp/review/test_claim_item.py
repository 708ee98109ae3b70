"""A labeler gets the next item, and nobody else gets it while they hold it."""

from datetime import timedelta

import pytest

from tests.factories import START, Clock, make_detections, make_review_item, make_sample
from webapp.accounts.models import Organization, User
from webapp.datasets.models import Sample
from webapp.fleet.models import Bundle, Camera
from webapp.review.actions import (
    HeldByAnother,
    RevisionConflict,
    claim_next,
    open_item,
    prepare_next,
    release_item,
    renew_lease,
    skip_item,
    start_item,
)
from webapp.review.models import LEASE, PREPARED_LEASE, ReviewItem, ReviewQueue
from webapp.review.outlook import outlook


def test_it_works(queue: ReviewQueue, item: ReviewItem, bob: User) -> None:
    assert claim_next(queue=queue, by=bob, at=START) == item
    lease = item.leases.get()
    assert (lease.holder, lease.expires_at) == (bob, START + LEASE)


def test_a_sample_is_queued_once(camera: Camera, bundle: Bundle) -> None:
    sample = make_sample(camera, bundle)
    assert open_item(sample=sample, at=START) == open_item(sample=sample, at=START)
    assert ReviewItem.objects.count() == 1


def test_the_first_item_of_an_organization_makes_its_queue(
    camera: Camera, bundle: Bundle, acme: Organization
) -> None:
    open_item(sample=make_sample(camera, bundle), at=START)
    open_item(sample=make_sample(camera, bundle), at=START)
    assert ReviewQueue.objects.get().organization == acme


def test_the_most_doubtful_comes_first(camera: Camera, bundle: Bundle, bob: User) -> None:
    for score in (0.3, 0.44, 0.26):
        seen = make_detections(0, score=score)
        make_review_item(make_sample(camera, bundle, score=score, predictions=seen))
    queue = ReviewQueue.objects.get()
    taken = []
    while item := claim_next(queue=queue, by=bob, at=START):
        taken.append(item.sample.score)
        skip_item(item=item, by=bob, revision=item.revision, skip_as="passed", at=START)
    assert taken == [0.44, 0.3, 0.26]


def test_the_random_slice_is_spread_over_the_doubtful_ones(camera: Camera, bundle: Bundle) -> None:
    for i in range(60):
        seen = make_detections(0, score=0.25 + 0.2 * i / 60)
        make_review_item(make_sample(camera, bundle, predictions=seen))
        make_review_item(make_sample(camera, bundle, reason=Sample.Reason.RANDOM, score=1.0))
    first_half = ReviewItem.objects.order_by("-priority")[:60]
    n_random = sum(item.sample.reason == Sample.Reason.RANDOM for item in first_half)
    assert 15 <= n_random <= 45


def test_another_labeler_gets_another_item(
    queue: ReviewQueue, item: ReviewItem, camera: Camera, bundle: Bundle, bob: User, bea: User
) -> None:
    other = make_review_item(make_sample(camera, bundle))
    got = {claim_next(queue=queue, by=user, at=START) for user in (bob, bea)}
    assert got == {item, other}


def test_a_labeler_goes_on_with_what_they_hold(
    queue: ReviewQueue, item: ReviewItem, camera: Camera, bundle: Bundle, bob: User
) -> None:
    claim_next(queue=queue, by=bob, at=START)
    make_review_item(make_sample(camera, bundle, score=0.5))
    assert claim_next(queue=queue, by=bob, at=START) == item


def test_nothing_is_left_when_somebody_holds_the_last(
    queue: ReviewQueue, bob: User, bea: User
) -> None:
    claim_next(queue=queue, by=bob, at=START)
    assert claim_next(queue=queue, by=bea, at=START) is None


def test_who_gets_nothing_hears_when_something_may_be_free(
    queue: ReviewQueue, bob: User, bea: User
) -> None:
    claim_next(queue=queue, by=bob, at=START)
    told = outlook(bea, at=START)
    assert (told.n_in_hand, told.frees_at) == (1, START + LEASE)
    assert outlook(bob, at=START).n_in_hand == 0


def test_a_lease_that_ran_out_returns_the_item(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User, clock: Clock
) -> None:
    claim_next(queue=queue, by=bob, at=clock.now())
    clock.advance(minutes=9)
    assert claim_next(queue=queue, by=bea, at=clock.now()) is None
    clock.advance(minutes=1)
    assert claim_next(queue=queue, by=bea, at=clock.now()) == item


def test_a_renewed_lease_does_not_run_out(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User, clock: Clock
) -> None:
    claim_next(queue=queue, by=bob, at=clock.now())
    for _ in range(4):
        renew_lease(item=item, by=bob, at=clock.advance(minutes=9))
    assert claim_next(queue=queue, by=bea, at=clock.now()) is None


def test_a_lease_taken_over_cannot_be_renewed(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User, clock: Clock
) -> None:
    claim_next(queue=queue, by=bob, at=clock.now())
    claim_next(queue=queue, by=bea, at=clock.advance(minutes=11))
    with pytest.raises(HeldByAnother, match="bea has this picture in hand"):
        renew_lease(item=item, by=bob, at=clock.now())


def test_a_lease_that_ran_out_unnoticed_is_taken_anew(
    queue: ReviewQueue, item: ReviewItem, bob: User, clock: Clock
) -> None:
    claim_next(queue=queue, by=bob, at=clock.now())
    lease = renew_lease(item=item, by=bob, at=clock.advance(minutes=11))
    assert lease.expires_at == clock.now() + LEASE


def test_a_released_item_is_free(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User
) -> None:
    claim_next(queue=queue, by=bob, at=START)
    assert not release_item(item=item, by=bea, at=START)
    assert release_item(item=item, by=bob, at=START)
    assert claim_next(queue=queue, by=bea, at=START) == item


def test_the_next_item_is_prepared_for_a_short_time(
    queue: ReviewQueue, item: ReviewItem, camera: Camera, bundle: Bundle, bob: User, bea: User
) -> None:
    claim_next(queue=queue, by=bob, at=START)
    other = make_review_item(make_sample(camera, bundle, score=0.26))
    for _ in range(2):
        assert prepare_next(queue=queue, by=bob, besides=[item.pk], at=START) == other
    assert claim_next(queue=queue, by=bea, at=START) is None
    assert claim_next(queue=queue, by=bea, at=START + PREPARED_LEASE) == other


def test_what_one_left_unfinished_comes_back_when_nothing_else_is_left(
    queue: ReviewQueue, item: ReviewItem, camera: Camera, bundle: Bundle, bob: User, bea: User
) -> None:
    claim_next(queue=queue, by=bob, at=START)  # in a window that was closed by a crash
    other = make_review_item(make_sample(camera, bundle, score=0.26))
    assert prepare_next(queue=queue, by=bob, besides=[], at=START) == other
    assert prepare_next(queue=queue, by=bob, besides=[other.pk], at=START) == item
    assert prepare_next(queue=queue, by=bea, besides=[], at=START) is None


def test_a_prepared_item_becomes_work_when_it_is_on_the_screen(
    queue: ReviewQueue, item: ReviewItem, bob: User, clock: Clock
) -> None:
    prepare_next(queue=queue, by=bob, besides=[], at=clock.now())
    start_item(item=item, by=bob, at=clock.advance(minutes=1))
    lease = item.leases.get()
    assert not lease.is_prepared
    assert lease.claimed_at == clock.now()
    assert lease.expires_at == clock.now() + timedelta(minutes=10)


def test_an_item_in_other_hands_cannot_be_started(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User
) -> None:
    claim_next(queue=queue, by=bob, at=START)
    with pytest.raises(HeldByAnother):
        start_item(item=item, by=bea, at=START)


def test_a_decided_item_cannot_be_started(item: ReviewItem, bob: User, bea: User) -> None:
    skip_item(item=item, by=bob, revision=0, skip_as="ambiguous", at=START)
    with pytest.raises(RevisionConflict, match="decided"):
        start_item(item=item, by=bea, at=START)
