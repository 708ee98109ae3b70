"""How good and how quick labelers are, as a whole and day by day."""

from datetime import datetime, timedelta

from tests.factories import START
from webapp.accounts.models import User
from webapp.review.actions import submit_verdict
from webapp.review.boxes import Box
from webapp.review.checking import accept_work, reject_work
from webapp.review.models import Check, ReviewItem, ReviewQueue, Verdict
from webapp.review.standing import standings

A_CAR = Box((0.1, 0.2, 0.5, 0.6), "car")
NEXT_DAY = START + timedelta(days=1)


def decide(item: ReviewItem, by: User, *, seconds: float, at: datetime) -> None:
    item.refresh_from_db()
    verdict = submit_verdict(item=item, by=by, revision=item.revision, boxes=[A_CAR], at=at)
    Verdict.objects.filter(pk=verdict.pk).update(seconds=seconds)
    item.refresh_from_db()


def test_what_is_sent_back_counts_on_the_day_it_was_first_decided(
    queue: ReviewQueue, item: ReviewItem, alice: User, bob: User
) -> None:
    ReviewQueue.objects.update(checked_share=1.0)
    decide(item, bob, seconds=10.0, at=START)
    why = [Check.Reason.WRONG_CLASS]
    reject_work(item=item, by=alice, revision=item.revision, reasons=why, at=START)
    decide(item, bob, seconds=20.0, at=NEXT_DAY)
    accept_work(item=item, by=alice, revision=item.revision, at=NEXT_DAY)

    (bobs,) = standings(queue, since=START)
    one, two = bobs.days
    midnight = START.replace(hour=0, minute=0, second=0, microsecond=0)
    assert [day.at for day in (one, two)] == [midnight, midnight + timedelta(days=1)]
    assert [(day.n_decided, day.n_per_hour) for day in (one, two)] == [(1, 360.0), (1, 180.0)]
    assert [(day.n_accepted, day.n_checked) for day in (one, two)] == [(0, 1), (0, 0)]
    assert (bobs.n_decided, bobs.first_pass.n, bobs.first_pass.of) == (2, 0, 1)
