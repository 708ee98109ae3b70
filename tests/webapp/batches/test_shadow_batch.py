"""What a batch's bundle judges otherwise than the cameras' own goes to the queues that ask."""

from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse

from processing.wire.packed import PackedDetection, pack
from tests.factories import make_blob, make_bundle, make_sample
from tests.processing.tiny_bundle import LABELS
from tests.webapp.batches.conftest import Work, jpeg, new_batch
from webapp.accounts.models import Organization, User
from webapp.batches.actions import create_batch
from webapp.batches.models import Batch, Shard, WorkerBundle
from webapp.batches.queries import COMPARE_SHARD
from webapp.batches.steering import retry_batch
from webapp.common.clock import now
from webapp.datasets.actions import CONSIDER_SAMPLES
from webapp.datasets.models import Annotation, Sample
from webapp.fleet.models import Bundle, Camera
from webapp.jobs.actions import enqueue_job
from webapp.jobs.models import Job
from webapp.review.models import ReviewItem, ReviewQueue

PATH = "/api/v1/batches/"
PATCHES = (("red", 2, 2), ("blue", 5, 5))


@pytest.fixture
def queue(acme: Organization) -> ReviewQueue:
    policy = {"reasons": ["shadow"], "alike_bits": 0}
    return ReviewQueue.objects.create(organization=acme, name="Differing", policy=policy)


@pytest.fixture
def bundle(acme: Organization) -> Bundle:
    """Another bundle than the batch's, with other numbers for the same classes."""
    return make_bundle(acme, labels=["person", *reversed(LABELS)])


def seen(bundle: Bundle, *patches: tuple[str, int, int], score: float = 0.9) -> bytes:
    """Return what a bundle says that finds these patches where the batch's bundle does."""
    return pack(
        PackedDetection(
            (8 * column - 4) / 64, (8 * row - 4) / 64, (8 * column + 12) / 64, (8 * row + 12) / 64,
            score, bundle.labels.index(label), 0,
        )
        for label, column, row in patches
    )  # fmt: skip


def keep(
    camera: Camera,
    bundle: Bundle,
    predictions: bytes,
    *patches: tuple[str, int, int],
    **facts: object,
) -> Sample:
    blob = make_blob(camera.organization, jpeg(*(patches or PATCHES)), content_type="image/png")
    return make_sample(camera, bundle, picture=blob, predictions=predictions, **facts)


def begin(bundle: WorkerBundle, camera: Camera, by: User, **facts: object) -> Batch:
    wish = new_batch(bundle, source="samples", **({"is_shadow": True} | facts))
    return create_batch(wish, organization=camera.organization, by=by, at=now())


def do_again(organization: Organization, kind: str) -> None:
    """Have the newest job of a kind done once more, as after a worker that died at its very end."""
    done = Job.objects.filter(kind=kind).latest("created_at")
    enqueue_job(kind=kind, arguments=done.arguments, organization=organization, by=None, at=now())


def test_what_it_judges_otherwise_is_asked_about(
    olga: User, tiny: WorkerBundle, work: Work, camera: Camera, bundle: Bundle, queue: ReviewQueue
) -> None:
    missed = keep(camera, bundle, seen(bundle, PATCHES[0], ("green", 1, 6)))
    begin(tiny, camera, olga)
    work()
    item = ReviewItem.objects.get()
    assert (item.queue, item.sample, item.reason) == (queue, missed, "shadow")
    assert item.why == "Another model says otherwise: 2 of 3 boxes"
    assert item.figure == pytest.approx(2 / 3)
    missed.refresh_from_db()
    assert missed.reason == "low_confidence"


def test_what_both_see_is_not(
    olga: User, tiny: WorkerBundle, work: Work, camera: Camera, bundle: Bundle, queue: ReviewQueue
) -> None:
    same = seen(bundle, *PATCHES) + seen(bundle, ("green", 1, 6), score=0.2)
    keep(camera, bundle, same)  # what scores less than the batch asks for is not compared
    keep(camera, make_bundle(camera.organization, digest=tiny.digest), b"", ("red", 1, 1))
    keep(camera, make_bundle(camera.organization, labels=["person"]), b"", ("red", 3, 1))
    begin(tiny, camera, olga)
    work()
    assert not ReviewItem.objects.exists()
    assert not Job.objects.filter(kind=CONSIDER_SAMPLES).exists()
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}


def test_a_batch_that_was_not_asked_to_tells_nobody(
    olga: User, tiny: WorkerBundle, work: Work, camera: Camera, bundle: Bundle, queue: ReviewQueue
) -> None:
    sample = keep(camera, bundle, b"")
    begin(tiny, camera, olga, is_shadow=False)
    work()
    sample.refresh_from_db()
    assert (sample.n_shadowed, ReviewItem.objects.count()) == (None, 0)


def test_where_pictures_are_covered_nothing_is_compared(
    olga: User, tiny: WorkerBundle, work: Work, camera: Camera, bundle: Bundle, queue: ReviewQueue
) -> None:
    corner = [[0.5, 0.5], [1.0, 0.5], [1.0, 1.0], [0.5, 1.0]]
    camera.policies = {"privacy": {"zones": [corner]}}
    camera.save()
    keep(camera, bundle, seen(bundle, PATCHES[0]))
    begin(tiny, camera, olga)
    work()
    assert not ReviewItem.objects.exists()


def test_the_random_slice_stays_one_and_labelled_pictures_stay_away(
    olga: User, tiny: WorkerBundle, work: Work, camera: Camera, bundle: Bundle, queue: ReviewQueue
) -> None:
    random = keep(camera, bundle, b"", reason="random")
    labelled = keep(camera, bundle, b"", ("red", 1, 1))
    Annotation.objects.create(organization=camera.organization, sample=labelled, created_at=now())
    begin(tiny, camera, olga)
    work()
    random.refresh_from_db()
    assert (random.reason, random.n_shadowed) == ("random", 2)
    assert not ReviewItem.objects.exists()


def test_done_again_it_opens_one_item(
    olga: User,
    tiny: WorkerBundle,
    work: Work,
    camera: Camera,
    bundle: Bundle,
    queue: ReviewQueue,
) -> None:
    keep(camera, bundle, b"")
    batch = begin(tiny, camera, olga)
    work()
    for kind in (COMPARE_SHARD, CONSIDER_SAMPLES):
        do_again(camera.organization, kind)
        work()
    Shard.objects.update(n_failed=1)
    Batch.objects.update(n_failed=1)
    batch.refresh_from_db()
    retry_batch(batch, at=now())
    work()
    assert Job.objects.filter(kind=COMPARE_SHARD, state="done").count() == 3
    assert ReviewItem.objects.count() == 1


def test_a_shard_that_is_gone_is_compared_by_nobody(
    olga: User, tiny: WorkerBundle, work: Work, camera: Camera, bundle: Bundle, queue: ReviewQueue
) -> None:
    keep(camera, bundle, b"")
    begin(tiny, camera, olga)
    work()
    ReviewItem.objects.all().delete()
    Shard.objects.all().delete()
    do_again(camera.organization, COMPARE_SHARD)
    work()
    assert not ReviewItem.objects.exists()


def test_programs_ask_for_it_of_samples_alone(
    client: Client, olga: User, bob: User, tiny: WorkerBundle
) -> None:
    wish = {"name": "Next", "source": "samples", "bundle": tiny.digest, "is_shadow": True}
    client.force_login(bob)
    refused = client.post(PATH, wish, content_type="application/json")
    assert refused.status_code == HTTPStatus.FORBIDDEN
    client.force_login(olga)
    begun = client.post(PATH, wish, content_type="application/json")
    assert begun.status_code == HTTPStatus.CREATED
    assert begun.json()["is_shadow"] is True
    odd = client.post(PATH, wish | {"source": "upload"}, content_type="application/json")
    assert odd.status_code == HTTPStatus.BAD_REQUEST
    assert list(odd.json()["errors"]) == ["is_shadow"]
    plain = client.post(
        PATH, {**wish, "is_shadow": False, "name": "Plain"}, content_type="application/json"
    )
    assert plain.json()["is_shadow"] is False


def test_the_form_offers_it_and_the_page_tells_it(
    client: Client, olga: User, tiny: WorkerBundle, camera: Camera
) -> None:
    client.force_login(olga)
    assert 'name="is_shadow"' in client.get(reverse("batch_new")).content.decode()
    batch = begin(tiny, camera, olga)
    shown = client.get(reverse("batch", args=[batch.pk])).content.decode()
    assert "Goes to review" in shown
