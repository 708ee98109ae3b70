"""Which samples labelers are asked about: policy, budgets, and never nearly the same twice."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from processing.wire.packed import PackedDetection, pack
from tests.factories import START, make_camera, make_event, make_result, make_sample
from webapp.accounts.models import Organization, User
from webapp.datasets.models import Annotation, Sample
from webapp.events.models import Event
from webapp.fleet.models import Bundle, Camera
from webapp.fleet.wishes import BadWish
from webapp.review.actions import claim_next
from webapp.review.models import ReviewItem, ReviewQueue
from webapp.review.picking import consider_sample, open_item, policy_of
from webapp.review.policies import SelectionPolicy, read_policy


def thing(x: float = 0.1, score: float = 0.33, track: int = 1) -> bytes:
    return pack([PackedDetection(x, 0.2, x + 0.1, 0.6, score, 0, track)])


class Street:
    """A camera that is in doubt, about something else in each picture."""

    def __init__(self, camera: Camera, bundle: Bundle) -> None:
        self.camera, self.bundle = camera, bundle
        self._n = 0

    def sends(self, *, at: datetime, **fields: Any) -> ReviewItem | None:
        self._n += 1
        fields.setdefault("fingerprint", Random(self._n).getrandbits(64) - 2**63)
        fields.setdefault("predictions", thing())
        sample = make_sample(self.camera, self.bundle, captured_at=at, **fields)
        return consider_sample(sample=sample, at=at)


@pytest.fixture
def street(camera: Camera, bundle: Bundle) -> Street:
    return Street(camera, bundle)


@pytest.fixture
def queue(acme: Organization) -> ReviewQueue:
    return ReviewQueue.objects.create(organization=acme, name="Doubtful pictures")


def says(queue: ReviewQueue, **policy: object) -> None:
    queue.policy = policy
    queue.save()


def why_passed_over() -> str:
    return (
        Sample.objects.exclude(passed_over="")
        .order_by("-id")
        .values_list("passed_over", flat=True)[0]
    )


def test_it_works(street: Street, queue: ReviewQueue) -> None:
    item = street.sends(at=START)
    assert item is not None
    assert (item.queue, item.reason) == (queue, "low_confidence")
    assert item.figure == pytest.approx(0.33, abs=0.001)
    assert item.why == "In doubt about “person”: the model is 33% sure"
    assert item.sample.passed_over == ""


def test_an_organization_without_a_queue_gets_one(street: Street) -> None:
    item = street.sends(at=START)
    assert item is not None
    assert item.queue.name == "Doubtful pictures"


def test_a_doubtful_hour_leaves_room_for_the_rest_of_the_day(street: Street) -> None:
    minutes = [START + timedelta(seconds=48 * n) for n in range(30)]  # 24 minutes
    opened = [item for at in minutes if (item := street.sends(at=at))]
    assert len(opened) == 5  # an eighth of 40
    assert why_passed_over() == "Its camera has 5 of this hour in the queue"
    later = [START + timedelta(hours=1, seconds=48 * n) for n in range(10)]
    assert sum(street.sends(at=at) is not None for at in later) == 5


def test_a_camera_has_its_budget_of_a_day_and_each_its_own(
    street: Street, camera: Camera, bundle: Bundle, queue: ReviewQueue
) -> None:
    says(queue, items_a_camera_and_day=8)
    hours = [START + timedelta(hours=n) for n in range(1, 12)]
    assert [street.sends(at=at) is not None for at in hours] == [True] * 8 + [False] * 3
    assert why_passed_over() == "Its camera has its 8 pictures of the day in the queue"
    assert Street(make_camera(camera.agent), bundle).sends(at=hours[-1])
    assert street.sends(at=START + timedelta(hours=26))


def test_a_queue_has_its_budget_of_a_day(street: Street, queue: ReviewQueue) -> None:
    says(queue, items_a_day=2)
    assert [street.sends(at=START) is not None for _ in range(3)] == [True, True, False]
    assert why_passed_over() == "The queue has its 2 pictures of the day"


def test_what_is_more_urgent_takes_the_place_of_what_nobody_has_touched(
    street: Street, queue: ReviewQueue, bob: User
) -> None:
    says(queue, items_a_camera_and_day=16)  # two in an hour
    least = street.sends(at=START, predictions=thing(score=0.26))
    street.sends(at=START, predictions=thing(score=0.3))
    assert least is not None
    better = street.sends(at=START, predictions=thing(score=0.4))
    assert better is not None
    assert not ReviewItem.objects.filter(pk=least.pk).exists()
    assert why_passed_over().startswith("Gave way to a picture that was more urgent")
    assert street.sends(at=START, predictions=thing(score=0.28)) is None
    claim_next(queue=queue, by=bob, at=START)  # the most urgent: the other is still free to go
    held = ReviewItem.objects.get(leases__holder=bob)
    street.sends(at=START, predictions=thing(score=0.41))
    street.sends(at=START, predictions=thing(score=0.405))
    assert ReviewItem.objects.filter(pk=held.pk).exists()


def test_nearly_the_same_picture_of_the_same_thing_is_asked_once(street: Street) -> None:
    assert street.sends(at=START, fingerprint=0b1111)
    assert street.sends(at=START, fingerprint=0b1000) is None
    assert why_passed_over() == "Nearly the picture of 22 Nov 12:00:00 UTC, which is in the queue"
    assert street.sends(at=START, fingerprint=0b1111, predictions=thing(x=0.7)), "it has moved"
    assert street.sends(at=START, fingerprint=~0xFF), "the scene has changed"


def test_fingerprints_are_compared_bit_by_bit_whatever_their_sign(street: Street) -> None:
    assert street.sends(at=START, fingerprint=-1)
    assert street.sends(at=START, fingerprint=2**63 - 1) is None  # one bit apart


def test_the_random_slice_is_always_on_and_evenly_spaced(street: Street) -> None:
    def random(minutes: int) -> ReviewItem | None:
        at = START + timedelta(minutes=minutes)
        return street.sends(at=at, reason=Sample.Reason.RANDOM, fingerprint=1)

    for n in range(9):  # a busy camera does not crowd it out
        street.sends(at=START + timedelta(seconds=n))
    first = random(1)
    assert first is not None
    assert first.why == "Taken at random, so that what is measured stays unbiased"
    assert random(60) is None
    assert why_passed_over() == "The random slice has one picture of its camera every 6 hours"
    assert random(362), "also where it looks like one that is there"


def test_a_tenth_of_a_busy_days_items_is_random(street: Street, queue: ReviewQueue) -> None:
    for minute in range(0, 24 * 60, 24):
        at = START + timedelta(minutes=minute)
        street.sends(at=at)
        street.sends(at=at, reason=Sample.Reason.RANDOM)
    n_random = queue.items.filter(reason="random").count()
    assert n_random == 4
    assert queue.items.count() == 44


def test_the_first_queue_that_wants_it_gets_it(
    street: Street, queue: ReviewQueue, acme: Organization
) -> None:
    second = ReviewQueue.objects.create(organization=acme, name="Random")
    says(queue, reasons=["low_confidence"])
    says(second, reasons=["random"])
    doubtful = street.sends(at=START)
    random = street.sends(at=START, reason=Sample.Reason.RANDOM)
    assert doubtful is not None
    assert random is not None
    assert (doubtful.queue, random.queue) == (queue, second)
    says(second, reasons=["novelty"])
    assert street.sends(at=START, reason=Sample.Reason.RANDOM) is None
    assert why_passed_over() == "No queue's policy asks for it"


def test_when_one_queue_is_full_the_next_takes_it(
    street: Street, queue: ReviewQueue, acme: Organization
) -> None:
    second = ReviewQueue.objects.create(organization=acme, name="More")
    says(queue, items_a_day=0)
    item = street.sends(at=START)
    assert item is not None
    assert item.queue == second


def test_what_a_person_wants_is_asked_whatever_the_budget(
    street: Street, queue: ReviewQueue
) -> None:
    says(queue, items_a_day=0, items_a_camera_and_day=0)
    item = street.sends(at=START, note="Reported by olga", reason=Sample.Reason.REPORTED)
    assert item is not None
    assert item.why == "Reported by olga"


def test_a_sample_is_considered_once(street: Street, queue: ReviewQueue) -> None:
    item = street.sends(at=START)
    assert item is not None
    assert consider_sample(sample=item.sample, at=START) == item
    assert open_item(sample=item.sample, at=START) == item


def test_a_track_that_comes_and_goes_is_told(
    street: Street, camera: Camera, bundle: Bundle, queue: ReviewQueue
) -> None:
    says(queue, reasons=["flicker"])
    for n in range(20):
        at = START + timedelta(seconds=0.1 * n - 1)
        is_seen = n % 3 == 0 or n in {1, 19}
        make_result(camera, bundle, captured_at=at, detections=thing(track=7) if is_seen else b"")
    item = street.sends(at=START, predictions=thing(track=7, score=0.9))
    assert item is not None
    assert item.why == "“person” comes and goes: seen in 45% of 20 frames"
    assert street.sends(at=START, predictions=thing(track=8, score=0.9)) is None


def test_a_camera_whose_pictures_have_changed_is_looked_at(
    street: Street, camera: Camera, queue: ReviewQueue
) -> None:
    says(queue, reasons=["drift"])
    assert street.sends(at=START) is None
    make_event(
        camera.organization, camera=camera, kind="picture_defocused", title="Out of focus",
        state=Event.State.RUNNING, occurred_at=START - timedelta(minutes=5),
    )  # fmt: skip
    item = street.sends(at=START)
    assert item is not None
    assert item.why == "Its camera's pictures have changed: Out of focus, for 5 min"


def test_a_rare_class_is_told_once_enough_is_labelled(
    street: Street, camera: Camera, bundle: Bundle, queue: ReviewQueue
) -> None:
    says(queue, reasons=["rare_class"])
    assert street.sends(at=START) is None
    for _ in range(20):
        Annotation.objects.create(
            organization=camera.organization, sample=make_sample(camera, bundle), created_at=START,
            boxes=[{"xyxy": [0, 0, 1, 1], "label": "car"}],
        )  # fmt: skip
    item = street.sends(at=START)
    assert item is not None
    assert item.why == "“person” is rare: 0.0% of all that is labelled"


def test_a_policy_is_read_strictly_and_used_leniently(queue: ReviewQueue) -> None:
    assert read_policy({"items_a_day": 7}) == SelectionPolicy(items_a_day=7)
    for wrong, path in (
        ({"items_a_day": -1}, "items_a_day"),
        ({"reasons": ["whim"]}, "reasons.0"),
        ({"novelti": 1}, "novelti"),
        ({"random_share": 2}, "random_share"),
    ):
        with pytest.raises(BadWish) as bad:
            read_policy(wrong)
        assert bad.value.path == path
    says(queue, items_a_day="many")
    assert policy_of(queue) == SelectionPolicy()
