"""Many labelers at once: every item is held by one at a time and decided once."""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

import pytest
from django.db import connection, connections

from tests.factories import (
    START,
    make_agent,
    make_bundle,
    make_camera,
    make_organization,
    make_review_item,
    make_sample,
    make_site,
    make_user,
)
from tests.needed import need_postgres
from webapp.accounts.models import Role, User
from webapp.datasets.models import Annotation
from webapp.review.actions import HeldByAnother, RevisionConflict, claim_next, submit_verdict
from webapp.review.boxes import Box
from webapp.review.models import ReviewItem, ReviewQueue, Verdict

pytestmark = pytest.mark.django_db(transaction=True)

IS_SOAK = bool(os.environ.get("FARWATCH_SOAK"))
A_CAR = Box(xyxy=(0.1, 0.2, 0.5, 0.6), label="car")


def fill_queue(n_items: int) -> ReviewQueue:
    agent = make_agent(make_site(make_organization()))
    camera, bundle = make_camera(agent), make_bundle(agent.organization)
    for _ in range(n_items):
        make_review_item(make_sample(camera, bundle))
    return ReviewQueue.objects.get()


def labelers(queue: ReviewQueue, n: int) -> list[User]:
    return [make_user(organization=queue.organization, role=Role.LABELER) for _ in range(n)]


@contextmanager
def own_connection() -> Iterator[None]:
    try:
        yield
    finally:
        connections.close_all()


def all_at_once(works: list[Callable[[], None]]) -> None:
    """Run each in a thread of its own with its own connection; raise what the first raised."""
    failures: list[BaseException] = []
    together = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        with own_connection():
            together.wait()
            try:
                work()
            except BaseException as failure:  # noqa: BLE001 - handed to the test's own thread
                failures.append(failure)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def decide_all(queue: ReviewQueue, by: User, claimed: list[ReviewItem]) -> None:
    while item := claim_next(queue=queue, by=by, at=START):
        claimed.append(item)
        submit_verdict(item=item, by=by, revision=item.revision, boxes=[A_CAR], at=START)


def check_each_is_decided_once(n_labelers: int, n_items: int) -> None:
    queue = fill_queue(n_items)
    claimed: list[ReviewItem] = []
    crowd = labelers(queue, n_labelers)
    all_at_once([partial(decide_all, queue, by, claimed) for by in crowd])
    assert Counter(claimed) == Counter(ReviewItem.objects.all())
    assert Verdict.objects.count() == n_items
    assert Annotation.objects.filter(is_current=True).count() == n_items
    assert not ReviewItem.objects.exclude(state=ReviewItem.State.DONE).exists()


def test_eight_labelers_decide_each_item_once() -> None:
    check_each_is_decided_once(n_labelers=8, n_items=24)


@pytest.mark.soak
def test_fifty_labelers_decide_each_of_a_thousand_items_once() -> None:
    # SQLite has one writer at a time, and fifty without a pause starve one another.
    n_labelers = 50 if connection.vendor == "postgresql" else 10
    check_each_is_decided_once(n_labelers=n_labelers, n_items=1000 if IS_SOAK else 50)


def test_one_item_goes_to_one_of_many() -> None:
    queue = fill_queue(1)
    got: list[ReviewItem | None] = []

    def claim(by: User) -> None:
        got.append(claim_next(queue=queue, by=by, at=START))

    all_at_once([partial(claim, by) for by in labelers(queue, 8)])
    assert sum(item is not None for item in got) == 1


def test_of_many_verdicts_on_one_item_one_counts() -> None:
    queue = fill_queue(1)
    item = ReviewItem.objects.get()
    refused: list[User] = []

    def decide(by: User) -> None:
        try:
            submit_verdict(item=item, by=by, revision=0, boxes=[A_CAR], at=START)
        except (RevisionConflict, HeldByAnother):
            refused.append(by)

    crowd = labelers(queue, 8)
    all_at_once([partial(decide, by) for by in crowd])
    assert len(refused) == len(crowd) - 1
    assert Verdict.objects.count() == 1


@pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="this run has its database")
def test_the_same_holds_on_postgresql() -> None:
    """Row locks and snapshots are PostgreSQL's own; SQLite has one writer and shows nothing."""
    server = urlsplit(need_postgres())
    url = server._replace(path=f"/farwatch_race_{os.getpid()}").geturl()
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", __file__],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=900 if IS_SOAK else 150,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
