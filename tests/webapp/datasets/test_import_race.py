"""Two workers that import one picture at the same moment make one sample of it."""

import threading
from collections.abc import Callable

import pytest
from django.db import connections, transaction

from tests.factories import START, make_organization
from webapp.datasets.imports import CheckedPicture, Outcome, add_picture
from webapp.datasets.models import Sample
from webapp.media.actions import put_blob

pytestmark = pytest.mark.django_db(transaction=True)

SOON_S = 0.5
"""Time enough to be done for somebody who does not wait."""


def in_thread(work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_the_second_waits_for_the_first_and_knows_it() -> None:
    organization = make_organization()
    blob = put_blob(b"a picture", content_type="image/jpeg", organization=organization, at=START)
    found = CheckedPicture(
        file_name="a.jpg", picture=blob, thumbnail=blob, width=64, height=48,
        fingerprint=1, appearance=b"", boxes=(), classes=(),
    )  # fmt: skip
    outcomes: list[Outcome] = []

    def add() -> None:
        outcomes.append(add_picture(found, organization=organization, by=None, at=START))

    with transaction.atomic():
        add()
        second = in_thread(add)
        second.join(SOON_S)
    second.join(20)
    assert outcomes == ["labelled", "known"]
    assert Sample.objects.count() == 1
