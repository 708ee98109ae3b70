"""Known answers hidden in normal work: nothing tells them apart until one has answered."""

from dataclasses import asdict

import pytest

from tests.factories import START, make_review_item, make_sample
from webapp.accounts.models import User
from webapp.datasets.models import Annotation
from webapp.fleet.models import Bundle, Camera
from webapp.review.actions import (
    NotTheirs,
    RevisionConflict,
    claim_next,
    skip_item,
    start_item,
    submit_verdict,
    undo_verdict,
)
from webapp.review.boxes import Box
from webapp.review.gold import feedback, make_gold, retire_gold
from webapp.review.models import GoldAnswer, ReviewItem, ReviewQueue, Team
from webapp.review.queries import item_for_editor
from webapp.review.standing import standings

A_CAR = Box((0.1, 0.2, 0.5, 0.6), "car")
A_PERSON = Box((0.6, 0.2, 0.8, 0.6), "person")


@pytest.fixture
def gold(item: ReviewItem, alice: User) -> GoldAnswer:
    """A car, as Alice says; every other item of its queue is to be such a one."""
    submit_verdict(item=item, by=alice, revision=0, boxes=[A_CAR], at=START)
    ReviewQueue.objects.update(gold_share=0.5)
    return make_gold(item=item, note="Look at the wheels.", by=alice, at=START)


def one_more(queue: ReviewQueue) -> ReviewItem:
    camera, bundle = Camera.objects.get(), Bundle.objects.get()
    assert camera.organization_id == queue.organization_id
    return make_review_item(make_sample(camera, bundle))


def give_gold(queue: ReviewQueue, by: User) -> ReviewItem:
    """Return the item with the known answer as `by` comes to it in the course of work."""
    queue.refresh_from_db()
    for _ in range(20):
        one_more(queue)
        item = claim_next(queue=queue, by=by, at=START)
        assert item is not None
        if GoldAnswer.objects.filter(item=item).exists():
            return item
        skip_item(item=item, by=by, revision=item.revision, skip_as="ambiguous", at=START)
    raise AssertionError("no known answer came")


def test_it_looks_like_any_other(queue: ReviewQueue, gold: GoldAnswer, bob: User) -> None:
    seen = asdict(item_for_editor(give_gold(queue, bob), by=bob, at=START))
    other = one_more(queue)
    start_item(item=other, by=bob, at=START)
    plain = asdict(item_for_editor(other, by=bob, at=START))
    of_its_own = {"id", "url", "picture_url", "revision"}
    assert {name for name in seen if seen[name] != plain[name]} <= of_its_own
    assert (seen["state"], seen["decided"]) == ("open", None)


def test_who_answers_is_told_and_the_truth_stays(
    queue: ReviewQueue, gold: GoldAnswer, bob: User
) -> None:
    item = give_gold(queue, bob)
    verdict = submit_verdict(
        item=item, by=bob, revision=item.revision, boxes=[A_CAR, A_PERSON], at=START
    )
    told = feedback(verdict)
    assert told is not None
    assert (told.is_right, told.n_found, told.n_missed, told.n_wrong) == (False, 1, 0, 1)
    assert (told.boxes, told.note) == ([A_CAR], "Look at the wheels.")
    assert Annotation.objects.get(is_current=True) == gold.annotation
    item.refresh_from_db()
    assert (item.state, item.n_decided, item.verdicts.count()) == (ReviewItem.State.DONE, 1, 2)
    bobs = next(each for each in standings(queue, since=START) if each.name == "bob")
    assert (bobs.gold.n, bobs.gold.of) == (0, 1)
    assert bobs.mean_error == pytest.approx(1 / 3)


def test_an_answer_is_not_taken_back_once_one_was_told(
    queue: ReviewQueue, gold: GoldAnswer, bob: User
) -> None:
    item = give_gold(queue, bob)
    verdict = submit_verdict(item=item, by=bob, revision=item.revision, boxes=[], at=START)
    with pytest.raises(RevisionConflict, match="told"):
        undo_verdict(verdict=verdict, by=bob, at=START)


def test_nobody_is_asked_twice_nor_who_gave_the_answer(
    queue: ReviewQueue, gold: GoldAnswer, alice: User, bob: User
) -> None:
    item = give_gold(queue, bob)
    submit_verdict(item=item, by=bob, revision=item.revision, boxes=[A_CAR], at=START)
    for by in (alice, bob):
        with pytest.raises(AssertionError, match="no known answer came"):
            give_gold(queue, by)


def test_a_retired_one_is_shown_to_nobody_new(
    queue: ReviewQueue, gold: GoldAnswer, bob: User, bea: User
) -> None:
    item = give_gold(queue, bob)
    assert retire_gold(gold, at=START)
    with pytest.raises(AssertionError, match="no known answer came"):
        give_gold(queue, bea)
    assert submit_verdict(item=item, by=bob, revision=item.revision, boxes=[], at=START).is_gold


def test_who_is_of_another_team_is_refused_it_like_an_open_one(
    queue: ReviewQueue, gold: GoldAnswer, bob: User
) -> None:
    team = Team.objects.create(organization=queue.organization, name="Others")
    ReviewQueue.objects.update(labelers=team)
    for item in (gold.item, one_more(queue)):
        with pytest.raises(NotTheirs):
            start_item(item=item, by=bob, at=START)


def test_a_decided_item_without_one_stays_closed(gold: GoldAnswer, bob: User) -> None:
    gold.delete()
    with pytest.raises(RevisionConflict, match="decided"):
        submit_verdict(item=gold.item, by=bob, revision=1, boxes=[], at=START)


def test_only_what_is_decided_is_known(
    queue: ReviewQueue, camera: Camera, bundle: Bundle, alice: User
) -> None:
    item = make_review_item(make_sample(camera, bundle))
    with pytest.raises(RevisionConflict, match="known answer"):
        make_gold(item=item, by=alice, at=START)
