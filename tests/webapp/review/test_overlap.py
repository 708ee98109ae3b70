"""Several labelers decide one item, none of them sees another's work, and what all say is true."""

from datetime import timedelta

import pytest

from tests.factories import START, make_review_item, make_sample, make_user
from webapp.accounts.models import Organization, Role, User
from webapp.datasets.models import Annotation
from webapp.fleet.models import Bundle, Camera
from webapp.review.actions import (
    HeldByAnother,
    NotTheirs,
    RevisionConflict,
    claim_next,
    skip_item,
    submit_verdict,
    undo_verdict,
)
from webapp.review.boxes import Box
from webapp.review.models import LEASE, ReviewItem, ReviewQueue, Team, Verdict
from webapp.review.queries import item_for_editor, queue_status

A_CAR = Box((0.1, 0.2, 0.5, 0.6), "car")
NEARLY = Box((0.12, 0.2, 0.52, 0.6), "car")
A_PERSON = Box((0.1, 0.2, 0.5, 0.6), "person")


@pytest.fixture
def carl(acme: Organization) -> User:
    return make_user("carl", organization=acme, role=Role.LABELER)


@pytest.fixture
def item(camera: Camera, bundle: Bundle) -> ReviewItem:
    """Asks for two labelers."""
    return make_review_item(make_sample(camera, bundle), n_labelers=2)


def decide(item: ReviewItem, by: User, *boxes: Box) -> Verdict:
    return submit_verdict(item=item, by=by, revision=0, boxes=boxes, at=START)


def test_what_all_say_becomes_the_annotation(item: ReviewItem, bob: User, bea: User) -> None:
    decide(item, bob, A_CAR)
    assert not Annotation.objects.filter(is_current=True).exists()
    decide(item, bea, NEARLY)
    item.refresh_from_db()
    assert (item.state, item.agreement, item.n_decided) == (ReviewItem.State.DONE, 1.0, 2)
    truth = Annotation.objects.get(is_current=True)
    assert (truth.author, truth.boxes) == (None, [{"xyxy": [0.11, 0.2, 0.51, 0.6], "label": "car"}])
    assert [verdict.error for verdict in item.verdicts.all()] == [0.0, 0.0]


def test_where_they_differ_a_checker_is_asked(item: ReviewItem, bob: User, bea: User) -> None:
    decide(item, bob, A_CAR)
    decide(item, bea, A_PERSON)
    item.refresh_from_db()
    assert (item.state, item.agreement) == (ReviewItem.State.DISPUTED, 0.0)
    assert not Annotation.objects.filter(is_current=True).exists()


def test_nobody_can_tell_when_all_say_so(item: ReviewItem, bob: User, bea: User) -> None:
    for by in (bob, bea):
        skip_item(item=item, by=by, revision=0, skip_as="ambiguous", at=START)
    item.refresh_from_db()
    assert item.state == ReviewItem.State.AMBIGUOUS


def test_as_many_hold_it_as_it_asks_for(
    queue: ReviewQueue, bob: User, bea: User, carl: User
) -> None:
    assert claim_next(queue=queue, by=bob, at=START)
    assert claim_next(queue=queue, by=bea, at=START)
    assert claim_next(queue=queue, by=carl, at=START) is None
    assert claim_next(queue=queue, by=carl, at=START + LEASE)


def test_who_has_decided_makes_room_for_nobody(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User, carl: User
) -> None:
    decide(item, bob, A_CAR)
    assert claim_next(queue=queue, by=bob, at=START) is None
    assert claim_next(queue=queue, by=bea, at=START)
    with pytest.raises(HeldByAnother):
        decide(item, carl, A_CAR)
    with pytest.raises(RevisionConflict, match="You have decided"):
        decide(item, bob, A_CAR)


def test_nobody_sees_another_s_work_before_all_have_decided(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User
) -> None:
    decide(item, bob, A_PERSON)
    item.refresh_from_db()
    seen = item_for_editor(item, by=bea, at=START)
    assert (seen.decided, seen.state, seen.revision) == (None, "open", 0)
    assert [box.label for box in seen.boxes] == ["person", "bicycle"]  # as predicted
    own = item_for_editor(item, by=bob, at=START)
    assert own.decided is not None
    assert own.boxes == own.decided.boxes == [A_PERSON]
    assert queue_status([queue], by=bea, at=START).n_open == 1
    assert queue_status([queue], by=bob, at=START).n_open == 0


def test_a_verdict_is_taken_back_until_all_have_decided(
    item: ReviewItem, bob: User, bea: User
) -> None:
    undo_verdict(verdict=decide(item, bob, A_PERSON), by=bob, at=START)
    item.refresh_from_db()
    assert item.n_decided == 0
    verdict = decide(item, bob, A_CAR)
    decide(item, bea, A_CAR)
    with pytest.raises(RevisionConflict, match="compared"):
        undo_verdict(verdict=verdict, by=bob, at=START)


def test_who_passes_leaves_the_place_to_another(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User, carl: User
) -> None:
    skip_item(item=item, by=bob, revision=0, skip_as="passed", at=START)
    decide(item, bea, A_CAR)
    assert claim_next(queue=queue, by=bob, at=START) is None
    decide(item, carl, A_CAR)
    item.refresh_from_db()
    assert item.state == ReviewItem.State.DONE


@pytest.mark.parametrize("meant_for", ["person", "team", "queue"])
def test_work_is_for_whom_it_is_meant(
    queue: ReviewQueue, item: ReviewItem, bob: User, bea: User, meant_for: str
) -> None:
    team = Team.objects.create(organization=queue.organization, name="Night")
    team.members.add(bea)
    if meant_for == "person":
        ReviewItem.objects.update(assignee=bea)
    elif meant_for == "team":
        ReviewItem.objects.update(team=team)
    else:
        ReviewQueue.objects.update(labelers=team)
    assert claim_next(queue=queue, by=bob, at=START) is None
    assert queue_status([queue], by=bob, at=START).n_open == 0
    with pytest.raises(NotTheirs):
        decide(item, bob, A_CAR)
    assert claim_next(queue=queue, by=bea, at=START) == item


def test_what_is_overdue_comes_first(
    queue: ReviewQueue, item: ReviewItem, camera: Camera, bundle: Bundle, bob: User
) -> None:
    due = START + timedelta(hours=1)
    late = make_review_item(make_sample(camera, bundle), priority=-1.0, due_at=due)
    assert claim_next(queue=queue, by=bob, at=due) == late
    assert claim_next(queue=queue, by=make_user(organization=queue.organization), at=START) == item
