"""A checker accepts, fixes or sends back; what was sent back goes to those who did it."""

import pytest

from tests.factories import START, make_review_item, make_sample, make_user
from webapp.accounts.models import Organization, Role, User
from webapp.datasets.models import Annotation
from webapp.fleet.models import Bundle, Camera
from webapp.review.actions import RevisionConflict, claim_next, submit_verdict, undo_verdict
from webapp.review.boxes import BadBox, Box
from webapp.review.checking import (
    MayNotCheck,
    accept_work,
    check_for_page,
    claim_check,
    fix_work,
    reject_work,
)
from webapp.review.leasing import HeldByAnother
from webapp.review.models import Check, ReviewItem, ReviewQueue, Team, Verdict
from webapp.review.queries import item_for_editor, predictions_of
from webapp.review.standing import standings

A_CAR = Box((0.1, 0.2, 0.5, 0.6), "car")
A_PERSON = Box((0.1, 0.2, 0.5, 0.6), "person")


@pytest.fixture
def item(camera: Camera, bundle: Bundle) -> ReviewItem:
    """One of a queue of which all is checked."""
    item = make_review_item(make_sample(camera, bundle))
    ReviewQueue.objects.update(checked_share=1.0)
    return item


@pytest.fixture
def dora(acme: Organization) -> User:
    """A labeler who checks others' work."""
    dora = make_user("dora", organization=acme, role=Role.LABELER)
    team = Team.objects.create(organization=acme, name="Checkers")
    team.members.add(dora)
    ReviewQueue.objects.update(checkers=team)
    return dora


@pytest.fixture
def verdict(item: ReviewItem, bob: User) -> Verdict:
    """What Bob made of the item; it waits for its check."""
    return submit_verdict(item=item, by=bob, revision=0, boxes=[A_CAR], at=START)


def fresh(item: ReviewItem) -> ReviewItem:
    return ReviewItem.objects.get(pk=item.pk)


def test_what_is_accepted_is_the_truth(queue: ReviewQueue, verdict: Verdict, dora: User) -> None:
    assert not Annotation.objects.filter(is_current=True).exists()
    item = claim_check(queue=queue, by=dora, at=START)
    assert item is not None
    shown = check_for_page(item, by=dora, at=START)
    assert (shown.begin.boxes, shown.works) == ([A_CAR], [verdict])
    accept_work(item=item, by=dora, revision=1, at=START)
    assert Annotation.objects.get(is_current=True) == verdict.annotation
    assert fresh(item).state == ReviewItem.State.DONE
    verdict.refresh_from_db()
    assert (verdict.error, verdict.check_of_it.decision) == (0.0, Check.Decision.ACCEPTED)


def test_what_is_fixed_is_the_checker_s(verdict: Verdict, dora: User) -> None:
    fix_work(item=verdict.item, by=dora, revision=1, boxes=[A_PERSON], comment="Legs", at=START)
    assert Annotation.objects.get(is_current=True).author == dora
    verdict.refresh_from_db()
    assert (verdict.error, verdict.check_of_it.decision) == (1.0, Check.Decision.FIXED)


def test_what_the_checker_found_of_each_prediction_is_kept(verdict: Verdict, dora: User) -> None:
    person, bicycle = predictions_of(verdict.item.sample)
    left = [Box(person.xyxy, "person"), Box(bicycle.xyxy, "car", prediction=1), A_CAR]
    fix_work(
        item=verdict.item, by=dora, revision=1, boxes=left, findings={0: "wrong_box"}, at=START
    )
    verdict.refresh_from_db()
    found = {"predictions": ["wrong_box", "wrong_class"], "n_missed": 1}
    assert verdict.check_of_it.findings == found


def test_what_is_said_of_no_prediction_is_refused(verdict: Verdict, dora: User) -> None:
    with pytest.raises(BadBox, match="no such prediction"):
        fix_work(item=verdict.item, by=dora, revision=1, boxes=[], findings={2: "false"}, at=START)


def test_what_is_sent_back_goes_to_who_did_it_with_the_reason(
    queue: ReviewQueue, verdict: Verdict, bob: User, bea: User, dora: User
) -> None:
    reasons = [Check.Reason.WRONG_CLASS]
    reject_work(item=verdict.item, by=dora, revision=1, reasons=reasons, comment="Legs!", at=START)
    assert claim_next(queue=queue, by=bea, at=START) is None
    item = claim_next(queue=queue, by=bob, at=START)
    assert item == verdict.item
    seen = item_for_editor(fresh(item), by=bob, at=START)
    assert seen.sent_back is not None
    assert (seen.sent_back.by, seen.sent_back.comment) == ("dora", "Legs!")
    assert seen.sent_back.reasons == ["Wrong class"]
    assert seen.boxes == [A_CAR]
    submit_verdict(item=item, by=bob, revision=seen.revision, boxes=[A_PERSON], at=START)
    item = fresh(item)
    accept_work(item=item, by=dora, revision=item.revision, at=START)
    (bobs,) = standings(queue, since=START)
    assert (bobs.n_decided, bobs.first_pass.n, bobs.first_pass.of) == (2, 0, 1)
    assert bobs.mean_error == 0.5


def test_settling_a_disagreement_tells_each_what_came_of_it(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User, dora: User
) -> None:
    ReviewItem.objects.update(n_labelers=2)
    right = submit_verdict(item=item, by=bob, revision=0, boxes=[A_CAR], at=START)
    wrong = submit_verdict(item=item, by=bea, revision=0, boxes=[A_PERSON], at=START)
    with pytest.raises(RevisionConflict, match="disagree"):
        accept_work(item=item, by=dora, revision=1, at=START)
    assert claim_check(queue=queue, by=dora, at=START) == item
    fix_work(item=item, by=dora, revision=1, boxes=[A_CAR], at=START)
    decisions = {check.verdict: check.decision for check in Check.objects.all()}
    assert decisions == {right: Check.Decision.ACCEPTED, wrong: Check.Decision.FIXED}
    assert fresh(item).state == ReviewItem.State.DONE


def test_nobody_checks_what_they_did(queue: ReviewQueue, verdict: Verdict, bob: User) -> None:
    team = Team.objects.create(organization=queue.organization, name="Checkers")
    team.members.add(bob)
    ReviewQueue.objects.update(checkers=team)
    assert claim_check(queue=queue, by=bob, at=START) is None
    with pytest.raises(MayNotCheck, match="own work"):
        accept_work(item=verdict.item, by=bob, revision=1, at=START)


def test_only_checkers_check(queue: ReviewQueue, verdict: Verdict, bea: User) -> None:
    with pytest.raises(MayNotCheck, match="other checkers"):
        claim_check(queue=queue, by=bea, at=START)
    with pytest.raises(MayNotCheck, match="other checkers"):
        reject_work(item=verdict.item, by=bea, revision=1, reasons=[], at=START)


def test_one_checker_at_a_time(
    queue: ReviewQueue, verdict: Verdict, alice: User, bob: User, dora: User
) -> None:
    assert claim_check(queue=queue, by=dora, at=START) == verdict.item
    assert claim_check(queue=queue, by=alice, at=START) is None
    with pytest.raises(HeldByAnother):
        accept_work(item=verdict.item, by=alice, revision=1, at=START)
    with pytest.raises(HeldByAnother, match="is checking"):
        undo_verdict(verdict=verdict, by=bob, at=START)


def test_what_was_checked_is_not_taken_back(verdict: Verdict, bob: User, dora: User) -> None:
    accept_work(item=verdict.item, by=dora, revision=1, at=START)
    with pytest.raises(RevisionConflict, match="checked"):
        undo_verdict(verdict=verdict, by=bob, at=START)


def test_a_share_is_checked(queue: ReviewQueue, camera: Camera, bundle: Bundle, bob: User) -> None:
    ReviewQueue.objects.update(checked_share=0.25)
    for _ in range(60):
        item = make_review_item(make_sample(camera, bundle))
        submit_verdict(item=item, by=bob, revision=0, boxes=[], at=START)
    n_checked = queue.items.filter(state=ReviewItem.State.CHECKING).count()
    assert 5 <= n_checked <= 27
