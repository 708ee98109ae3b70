"""Who has nothing to do is told why, and when there is more."""

from datetime import timedelta

from django.test import Client

from tests.factories import START, make_review_item, make_sample
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.datasets.models import Sample
from webapp.fleet.models import Bundle, Camera
from webapp.review.actions import claim_next, skip_item, start_item, submit_verdict
from webapp.review.gold import make_gold
from webapp.review.models import LEASE, PASS_PAUSE, ReviewItem, ReviewQueue
from webapp.review.outlook import has_work, outlook


def test_there_is_work(item: ReviewItem, bob: User) -> None:
    assert has_work(bob, at=START)
    assert outlook(bob, at=START).next_at is None


def test_a_known_answer_in_hand_is_work_like_any_other(
    item: ReviewItem, alice: User, bob: User
) -> None:
    submit_verdict(item=item, by=alice, revision=0, boxes=[], at=START)
    make_gold(item=item, by=alice, at=START)
    assert not has_work(bob, at=START)
    start_item(item=item, by=bob, at=START)
    assert has_work(bob, at=START)
    assert not has_work(bob, at=START + LEASE)


def test_what_others_have_in_hand_is_free_when_their_lease_ends(
    queue: ReviewQueue, bob: User, bea: User
) -> None:
    claim_next(queue=queue, by=bob, at=START)
    assert has_work(bob, at=START)
    told = outlook(bea, at=START)
    assert (has_work(bea, at=START), told.n_in_hand) == (False, 1)
    assert told.frees_at == told.next_at == START + LEASE
    assert has_work(bea, at=START + LEASE)


def test_what_one_passed_on_comes_back(item: ReviewItem, bob: User, bea: User) -> None:
    skip_item(item=item, by=bob, revision=0, skip_as="passed", at=START)
    told = outlook(bob, at=START)
    assert (has_work(bob, at=START), told.n_passed) == (False, 1)
    assert told.returns_at == told.next_at == START + PASS_PAUSE
    assert has_work(bob, at=START + PASS_PAUSE)
    assert outlook(bea, at=START).n_passed == 0


def test_what_waits_for_a_checker_is_told(item: ReviewItem, bob: User) -> None:
    ReviewQueue.objects.update(checked_share=1.0)
    submit_verdict(item=item, by=bob, revision=0, boxes=[], at=START)
    told = outlook(bob, at=START)
    assert (has_work(bob, at=START), told.n_to_check) == (False, 1)


def test_what_is_still_looked_into_is_told(camera: Camera, bundle: Bundle, bob: User) -> None:
    make_sample(camera, bundle, state=Sample.State.RECEIVED)
    assert outlook(bob, at=START).n_coming == 1


def test_a_queue_that_is_full_for_the_day_says_when_it_takes_more(
    item: ReviewItem, camera: Camera, bundle: Bundle, bob: User
) -> None:
    later = START + timedelta(hours=1)
    make_review_item(make_sample(camera, bundle), at=later)
    ReviewQueue.objects.update(policy={"items_a_day": 3})
    assert outlook(bob, at=later).room_at is None
    ReviewQueue.objects.update(policy={"items_a_day": 2})
    assert outlook(bob, at=later).room_at == START + timedelta(days=1)
    ReviewQueue.objects.update(policy={"items_a_day": 1})
    assert outlook(bob, at=later).room_at == later + timedelta(days=1)
    assert outlook(bob, at=later + timedelta(days=1)).room_at is None


def test_the_page_offers_no_start_where_there_is_nothing_to_start(
    client: Client, item: ReviewItem, bob: User
) -> None:
    client.force_login(bob)
    assert "Start reviewing" in client.get("/review/").content.decode()
    skip_item(item=item, by=bob, revision=0, skip_as="passed", at=now())
    for path in ("/review/", "/review/no-work/"):
        assert "Nothing for you right now" in client.get(path).content.decode()
