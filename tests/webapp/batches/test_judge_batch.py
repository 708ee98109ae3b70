"""A batch's pictures are listed once and judged once, in order, whatever they are and were."""


from tests.processing.tiny_bundle import LABELS
from tests.webapp.batches.conftest import (
    Work,
    names_found,
    pictures,
    send,
)
from webapp.accounts.models import Organization, User
from webapp.batches.models import WorkerBundle
from webapp.batches.queries import failed_pictures


def test_it_works(acme: Organization, olga: User, tiny: WorkerBundle, work: Work) -> None:
    batch = send(pictures(10), tiny, organization=acme, by=olga)
    work()
    batch.refresh_from_db()
    assert (batch.state, batch.n_items, batch.n_done, batch.n_failed) == ("done", 10, 10, 0)
    assert names_found(batch) == [(f"{n:05}.png", [LABELS[n % 3]]) for n in range(10)]
    assert batch.counts == {"blue": 4, "green": 3, "red": 3}
    assert batch.n_found == 10


def test_pictures_that_cannot_be_read_say_why_and_hold_up_nobody(
    acme: Organization, olga: User, tiny: WorkerBundle, work: Work
) -> None:
    files = [*pictures(2), ("broken.jpg", b"\xff\xd8\xff no picture"), ("none.png", b"")]
    batch = send([*files, ("notes.txt", b"hello")], tiny, organization=acme, by=olga)
    work()
    batch.refresh_from_db()
    assert (batch.state, batch.n_done, batch.n_failed) == ("done", 4, 2)
    assert batch.notes == ["Files that are no pictures: 1."]
    failures = {found.item.name: found.outcome for found in failed_pictures(batch, most=9)}
    assert set(failures) == {"broken.jpg", "none.png"}
    assert all(outcome and outcome.error for outcome in failures.values())
