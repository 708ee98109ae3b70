"""A labeler who goes bad is flagged as they work, and their work is taken back as a set."""

from datetime import timedelta
from random import Random

import pytest

from tests.factories import START, make_review_item, make_sample, make_user
from webapp.accounts.models import Organization, Role, User
from webapp.datasets.models import Annotation
from webapp.fleet.models import Bundle, Camera
from webapp.review.actions import claim_next, skip_item, submit_verdict
from webapp.review.boxes import Box
from webapp.review.checking import accept_work, fix_work
from webapp.review.flagging import close_flag
from webapp.review.models import LabelerFlag, ReviewItem, ReviewQueue, Verdict
from webapp.review.queries import queue_status
from webapp.review.reverting import revert_work
from webapp.review.standing import class_agreement, standings

A_CAR = Box((0.1, 0.2, 0.5, 0.6), "car")
A_PERSON = Box((0.1, 0.2, 0.5, 0.6), "person")


@pytest.fixture
def crowd(acme: Organization) -> list[User]:
    """One who is good, and one who calls a fifth of the cars persons."""
    return [make_user(name, organization=acme, role=Role.LABELER) for name in ("gil", "mel")]


def test_who_flips_a_fifth_is_flagged_within_200_items_and_nobody_else(
    camera: Camera, bundle: Bundle, alice: User, crowd: list[User]
) -> None:
    draw, at = Random(3), START
    _, mel = crowd
    for _ in range(200):
        item = make_review_item(make_sample(camera, bundle), n_labelers=2, at=at)
        at += timedelta(seconds=10)
        for by in crowd:
            is_wrong = draw.random() < (0.2 if by == mel else 0.0)
            box = A_PERSON if is_wrong else A_CAR
            submit_verdict(item=item, by=by, revision=0, boxes=[box], at=at)
        item.refresh_from_db()
        if item.state == ReviewItem.State.DISPUTED:
            fix_work(item=item, by=alice, revision=item.revision, boxes=[A_CAR], at=at)
        if LabelerFlag.objects.exists():
            break
    flag = LabelerFlag.objects.get()
    assert (flag.labeler, flag.n_judged) == (mel, Verdict.objects.filter(by=mel).count())
    assert flag.mean_error > 0.1
    good, bad = sorted(standings(flag.queue, since=START), key=lambda each: each.name)
    assert bad.flagged_at == at
    assert (good.flagged_at, good.mean_error) == (None, 0.0)
    assert bad.agreement == good.agreement
    assert class_agreement(flag.queue)[0].label == "car"


def test_a_closed_flag_lets_them_begin_anew(queue: ReviewQueue, bob: User, alice: User) -> None:
    flag = LabelerFlag.objects.create(
        organization=queue.organization, queue=queue, labeler=bob, raised_at=START,
        n_judged=9, mean_error=0.4,
    )  # fmt: skip
    assert close_flag(flag, by=alice, at=START)
    assert not close_flag(flag, by=alice, at=START)


def test_their_work_is_taken_back_as_a_set(
    item: ReviewItem, camera: Camera, bundle: Bundle, alice: User, bob: User, bea: User
) -> None:
    queue = item.queue
    older, checked, unsure, shared = (
        make_review_item(make_sample(camera, bundle), **fields)
        for fields in ({}, {}, {}, {"n_labelers": 2})
    )
    early = START - timedelta(days=1)
    submit_verdict(item=older, by=bob, revision=0, boxes=[A_CAR], at=early)
    submit_verdict(item=item, by=bob, revision=0, boxes=[A_CAR], at=START)
    skip_item(item=unsure, by=bob, revision=0, skip_as="ambiguous", at=START)
    submit_verdict(item=shared, by=bob, revision=0, boxes=[A_CAR], at=START)
    ReviewQueue.objects.update(checked_share=1.0)
    submit_verdict(item=checked, by=bob, revision=0, boxes=[A_CAR], at=START)
    accept_work(item=checked, by=alice, revision=1, at=START)

    done = revert_work(queue=queue, labeler=bob, since=START, by=alice, at=START)
    assert (done.n_reverted, done.n_kept) == (3, 1)
    states = dict(ReviewItem.objects.values_list("pk", "state"))
    assert {states[each.pk] for each in (item, unsure, shared)} == {ReviewItem.State.OPEN}
    assert {states[each.pk] for each in (older, checked)} == {ReviewItem.State.DONE}
    kept = Annotation.objects.filter(is_current=True).values_list("sample", flat=True)
    assert set(kept) == {older.sample_id, checked.sample_id}
    undone = Verdict.objects.filter(undone_as=Verdict.Undone.REVERTED, undone_by=alice)
    assert {verdict.item for verdict in undone} == {item, unsure, shared}

    assert claim_next(queue=queue, by=bob, at=START) is None  # others decide it now
    assert queue_status([queue], by=bob, at=START).n_open == 0
    assert queue_status([queue], by=bea, at=START).n_open == 3
    again = claim_next(queue=queue, by=bea, at=START)
    assert again is not None
    submit_verdict(item=again, by=bea, revision=again.revision, boxes=[], at=START)
    assert revert_work(queue=queue, labeler=bob, by=alice, at=START).n_reverted == 1
