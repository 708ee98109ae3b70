"""Known answers alone find a labeler who goes bad: there are more of them for who errs."""

from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from tests.factories import START, make_blob, make_review_item, make_sample
from webapp.accounts.models import Membership, Organization, Role, User
from webapp.datasets.models import Annotation
from webapp.fleet.models import Bundle, Camera
from webapp.media.models import Blob
from webapp.review.actions import claim_next, submit_verdict
from webapp.review.boxes import Box, as_kept
from webapp.review.flagging import STAKES_OF_A_FLAG, stakes, watched_share
from webapp.review.models import GoldAnswer, LabelerFlag, ReviewItem, ReviewQueue, Verdict

USUAL_SHARE = ReviewQueue().gold_share
TOLERATED = ReviewQueue().tolerated_error
THINGS = [Box((x / 10, 0.2, x / 10 + 0.1, 0.6), "car") for x in (1, 4, 7)]


def flagged_after(seed: int, *, wrong: float, n_things: int = 3) -> int | None:
    """Return how many of 200 pictures it took; None: all were not enough."""
    draw, errors, now = Random(seed), list[float](), 1.0
    for n_pictures in range(1, 201):
        if draw.random() >= watched_share(USUAL_SHARE, now):
            continue
        errors.append(sum(draw.random() < wrong for _ in range(n_things)) / n_things)
        now = stakes(errors, tolerated=TOLERATED)
        if now >= STAKES_OF_A_FLAG:
            return n_pictures
    return None


def test_who_flips_a_fifth_of_the_classes_is_flagged_within_200_pictures() -> None:
    after = [flagged_after(seed, wrong=0.2) for seed in range(200)]
    assert after.count(None) <= 4


@pytest.mark.parametrize("wrong", [0.0, 0.02])
def test_good_ones_are_not(wrong: float) -> None:
    assert {flagged_after(seed, wrong=wrong) for seed in range(200)} == {None}


@pytest.mark.parametrize("n_things", [1, 3])
def test_who_errs_just_as_often_as_is_tolerated_is_seldom_flagged(n_things: int) -> None:
    after = [flagged_after(seed, wrong=TOLERATED, n_things=n_things) for seed in range(400)]
    assert sum(n is not None for n in after) <= 400 * 200 / STAKES_OF_A_FLAG


def test_a_queue_without_known_answers_asks_for_none_of_anybody() -> None:
    assert watched_share(0.0, STAKES_OF_A_FLAG) == 0.0


def work(queue: ReviewQueue, by: User, *, wrong: float, n: int, at: datetime) -> datetime:
    """Have `by` do `n` pictures in the queue's order, or fewer if they are flagged before."""
    draw, camera, bundle = Random(5), Camera.objects.get(), Bundle.objects.get()
    picture = Blob.objects.get()
    for _ in range(n):
        make_review_item(make_sample(camera, bundle, picture=picture))
        at += timedelta(seconds=10)
        item = claim_next(queue=queue, by=by, at=at)
        assert item is not None
        left = [Box(box.xyxy, "person" if draw.random() < wrong else "car") for box in THINGS]
        submit_verdict(item=item, by=by, revision=item.revision, boxes=left, at=at)
        if LabelerFlag.objects.exists():
            break
    return at


# What is a known answer is drawn by the ids of queue and labeler, so these are always the same.


@pytest.fixture
def queue(acme: Organization) -> ReviewQueue:
    return ReviewQueue.objects.create(pk=UUID(int=1), organization=acme, name="Doubtful pictures")


def labeler(number: int, organization: Organization) -> User:
    user = User.objects.create(pk=UUID(int=number), username=f"labeler{number}")
    Membership.objects.create(user=user, organization=organization, role=Role.LABELER)
    return user


@pytest.fixture
def knowing(queue: ReviewQueue, camera: Camera, bundle: Bundle) -> ReviewQueue:
    """A queue with more known answers than anybody is given here."""
    picture = make_blob(queue.organization)
    for _ in range(60):
        sample = make_sample(camera, bundle, picture=picture)
        item = make_review_item(sample, state=ReviewItem.State.DONE, n_decided=1)
        truth = Annotation.objects.create(
            organization=item.organization, sample=item.sample, created_at=START,
            boxes=[*map(as_kept, THINGS)],
        )  # fmt: skip
        GoldAnswer.objects.create(
            organization=item.organization, item=item, annotation=truth, created_at=START
        )
    return queue


def test_it_works(knowing: ReviewQueue) -> None:
    bea, bob = (labeler(number, knowing.organization) for number in (2, 5))
    at = work(knowing, bea, wrong=0.0, n=30, at=START)
    n_known = Verdict.objects.filter(by=bea, is_gold=True).count()
    assert 1 <= n_known <= 8
    work(knowing, bob, wrong=0.2, n=200, at=at)
    flag = LabelerFlag.objects.get()
    assert flag.labeler == bob
    judged = Verdict.objects.filter(by=bob, judged_at__isnull=False)
    assert {verdict.is_gold for verdict in judged} == {True}
    assert judged.count() > 2 * USUAL_SHARE * Verdict.objects.filter(by=bob).count()
