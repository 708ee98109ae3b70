"""Many labelers at once, some of them killed: every item is decided as often as it asks for."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

import pytest
from django.db import connection, connections, transaction

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
from webapp.review.models import LEASE, Lease, ReviewItem, ReviewQueue, Verdict

pytestmark = pytest.mark.django_db(transaction=True)

IS_SOAK = bool(os.environ.get("FARWATCH_SOAK"))
A_CAR = Box(xyxy=(0.1, 0.2, 0.5, 0.6), label="car")


@transaction.atomic
def fill_queue(n_items: int, *, n_asked: int = 1) -> ReviewQueue:
    agent = make_agent(make_site(make_organization()))
    camera, bundle = make_camera(agent), make_bundle(agent.organization)
    for _ in range(n_items):
        make_review_item(make_sample(camera, bundle), n_labelers=n_asked)
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


def until_killed(works: list[Callable[[], None]]) -> None:
    """Run all at once; who is done before anybody looks waits for the end all the same."""
    all_at_once(works)
    signal.pause()


def decide_all(queue: ReviewQueue, by: User, at: datetime = START) -> None:
    while item := claim_next(queue=queue, by=by, at=at):
        submit_verdict(item=item, by=by, revision=item.revision, boxes=[A_CAR], at=at)


def check_each_is_decided(*, n_items: int, n_asked: int) -> None:
    assert Verdict.objects.count() == n_items * n_asked
    assert len(set(Verdict.objects.values_list("item", "by"))) == n_items * n_asked
    items = ReviewItem.objects.filter(state=ReviewItem.State.DONE, n_decided=n_asked)
    assert items.count() == n_items
    assert Annotation.objects.filter(is_current=True).count() == n_items
    assert not Lease.objects.exists()


def n_at_once() -> int:
    """SQLite has one writer at a time, and fifty without a pause starve one another."""
    return 50 if connection.vendor == "postgresql" else 5


@pytest.mark.soak
@pytest.mark.parametrize("n_asked", [1, 3])
def test_many_labelers_decide_each_item_as_often_as_it_asks_for(n_asked: int) -> None:
    n_items = 2000 if IS_SOAK else 40 // n_asked
    queue = fill_queue(n_items, n_asked=n_asked)
    crowd = labelers(queue, n_at_once())
    all_at_once([partial(decide_all, queue, by) for by in crowd])
    check_each_is_decided(n_items=n_items, n_asked=n_asked)


@pytest.mark.soak
def test_labelers_who_are_killed_leave_nothing_undone() -> None:
    n_items = 2000 if IS_SOAK else 20
    queue = fill_queue(n_items, n_asked=2)
    crowd = labelers(queue, n_at_once())
    doomed, others = crowd[::2], crowd[1::2]
    connections.close_all()  # a forked process would talk over the same sockets
    process = multiprocessing.get_context("fork").Process(
        target=until_killed, args=([partial(decide_all, queue, by) for by in doomed],)
    )
    process.start()
    while Verdict.objects.count() < n_items // 4 and process.is_alive():
        time.sleep(0.01)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert Verdict.objects.count() >= n_items // 4
    later = START + LEASE
    all_at_once([partial(decide_all, queue, by, later) for by in others])
    check_each_is_decided(n_items=n_items, n_asked=2)


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
        [
            sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider",
            "--no-migrations", __file__,  # the same tables, in a fifth of the time
        ],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=7200 if IS_SOAK else 280,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
