"""Members see how far batches are and what came of them; who steers them sees how."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import START
from tests.webapp.batches.conftest import Work, jpeg, pictures, send
from webapp.accounts.models import Organization, User
from webapp.batches.batch_rows import batch_rows, class_bars
from webapp.batches.models import Batch, Shard, WorkerBundle
from webapp.batches.views import PAGE_SIZE, PICTURES


def make_batch(organization: Organization, **facts: object) -> Batch:
    facts = {
        "name": "Street", "source": "upload", "state": "running", "bundle": "0" * 32,
        "min_score": 0.4, "created_at": START, "began_at": START, "n_items": 1200,
    } | facts  # fmt: skip
    return Batch.objects.create(organization=organization, **facts)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"state": "awaited"}, "Its pictures are on their way."),
        ({"state": "preparing"}, "Its pictures are being listed."),
        ({"n_done": 128}, "128 of 1,200 pictures."),
        ({"n_done": 128, "n_failed": 2}, "128 of 1,200 pictures, 2 could not be judged."),
        ({"state": "done", "n_done": 1, "n_items": 1, "n_found": 1}, "1 picture, 1 thing found."),
        ({"state": "failed", "error": "The disk is full."}, "The disk is full."),
        ({"state": "cancelled", "n_done": 7}, "7 of 1,200 pictures were judged."),
        ({"state": "cancelled", "n_items": 0}, "Nothing was judged."),
    ],
)
def test_it_says_how_it_is(acme: Organization, facts: dict[str, object], words: str) -> None:
    (row,) = batch_rows([make_batch(acme, **facts)], steerable=[], at=START)
    assert row.words == words


def test_time_left_does_not_count_the_time_that_it_stood_still(acme: Organization) -> None:
    again = START + timedelta(days=2)
    batch = make_batch(acme, n_done=900, n_done_before=600, going_since=again)
    (row,) = batch_rows([batch], steerable=(), at=again + timedelta(minutes=10))
    assert row.left == timedelta(minutes=10)
    (row,) = batch_rows([make_batch(acme, n_done=600, n_done_before=600, going_since=again)],
                        steerable=(), at=again)  # fmt: skip
    assert row.left is None


def test_classes_are_shown_the_most_frequent_first(acme: Organization) -> None:
    counts = {f"class {n:02}": n for n in range(1, 31)}
    bars, n_more = class_bars(make_batch(acme, counts=counts))
    assert [bar.name for bar in bars[:2]] == ["class 30", "class 29"]
    assert (bars[0].share, bars[1].n, n_more) == (1.0, 29, 10)


def test_who_may_not_steer_sees_no_buttons(
    client: Client, acme: Organization, olga: User, bob: User
) -> None:
    batch = make_batch(acme)
    for person, is_shown in ((olga, True), (bob, False)):
        client.force_login(person)
        page = client.get(reverse("batch", args=[batch.pk])).content.decode()
        assert (reverse("batch_pause", args=[batch.pk]) in page) == is_shown
        listed = client.get(reverse("batches")).content.decode()
        assert (reverse("batch_new") in listed) == is_shown
        assert "Street" in listed


def test_a_page_renews_itself_until_the_batch_is_over(
    client: Client, acme: Organization, olga: User
) -> None:
    client.force_login(olga)
    for state, is_renewed in (("running", True), ("paused", True), ("done", False)):
        batch = make_batch(acme, state=state)
        path = reverse("batch", args=[batch.pk])
        part = client.get(path, headers={"HX-Request": "true"}).content.decode()
        assert (f'hx-get="{path}"' in part) == is_renewed


def test_older_batches_are_a_page_further(client: Client, acme: Organization, olga: User) -> None:
    batches = [make_batch(acme, name=f"Batch {n}.") for n in range(PAGE_SIZE + 1)]
    client.force_login(olga)
    first = client.get(reverse("batches")).content.decode()
    assert "Batch 0." not in first
    older = client.get(reverse("batches"), {"after": str(batches[1].pk)}).content.decode()
    assert "Batch 0." in older
    assert "Batch 1." not in older


def test_pictures_have_their_boxes_and_reasons(
    client: Client, acme: Organization, olga: User, tiny: WorkerBundle, work: Work
) -> None:
    files = [*pictures(PICTURES), ("two.png", jpeg(("red", 1, 1), ("blue", 5, 5))),
             ("<b>.jpg", b"\xff\xd8\xff")]  # fmt: skip
    batch = send(files, tiny, organization=acme, by=olga)
    work()
    client.force_login(olga)
    path = reverse("batch_pictures", args=[batch.pk])
    page = client.get(path).content.decode()
    assert page.count('<li class="shot">') == PICTURES
    assert f"?first={PICTURES}" in page
    further = client.get(path, {"first": PICTURES}).content.decode()
    assert further.count("<rect") == 2
    assert "1 red, 1 blue" in further or "1 blue, 1 red" in further
    assert "&lt;b&gt;.jpg" in further
    whole = client.get(reverse("batch", args=[batch.pk])).content.decode()
    assert "It is no picture that can be opened" in whole
    assert reverse("batch_retry", args=[batch.pk]) in whole
    assert client.get(path, {"first": 10_000}).status_code == 200


def test_a_picture_is_the_one_that_was_sent(
    client: Client, acme: Organization, olga: User, tiny: WorkerBundle, work: Work
) -> None:
    files = pictures(3)
    batch = send(files, tiny, organization=acme, by=olga)
    work()
    client.force_login(olga)
    path = reverse("batch_picture", args=[batch.pk])
    for number, (_, content) in enumerate(files):
        answer = client.get(path, {"number": number})
        assert (answer.content, answer.headers["Content-Type"]) == (content, "image/png")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert client.get(path, {"number": 3}).status_code == 404
    Shard.objects.all().delete()
    assert client.get(path).status_code == 404


def test_steered_where_it_makes_no_sense_says_so(
    client: Client, acme: Organization, olga: User
) -> None:
    batch = make_batch(acme, state="done", n_done=1200)
    client.force_login(olga)
    answer = client.post(reverse("batch_retry", args=[batch.pk]), follow=True)
    assert "nothing in it failed" in answer.content.decode()
