"""The best picture of an event is kept, whether it comes before the event or after."""

import itertools
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from django.core.files.storage import default_storage

from processing.wire import messages
from processing.wire.messages import EventRaised
from tests.factories import JPEG, START, make_agent
from webapp.events.actions import Pictured, Raised, record_raised, record_thumbnails
from webapp.events.models import Event, Thumbnail
from webapp.fleet.models import Agent
from webapp.media.models import Blob
from webapp.media.queries import read_blob


def jpeg(name: str) -> bytes:
    return JPEG[:-2] + name.encode() + b"\xff\xd9"


def pictured(agent: Agent, event_id: UUID, name: str, score: float, second: int = 0) -> Pictured:
    thumbnail = messages.Thumbnail(
        event_id=event_id,
        camera_id=uuid4(),
        captured_at=START + timedelta(seconds=second),
        score=score,
        width=8,
        height=8,
        jpeg=jpeg(name),
    )
    return Pictured(agent, thumbnail, START)


def raise_event(agent: Agent, event_id: UUID) -> None:
    word = EventRaised(
        kind="in_zone", occurred_at=START, title="In", phase="start", event_id=event_id
    )
    record_raised([Raised(agent, 1, "alerts", 1, word, START)])


def shown(event_id: UUID) -> bytes:
    event = Event.objects.select_related("thumbnail__blob").get(event_id=event_id)
    assert event.thumbnail is not None
    return read_blob(event.thumbnail.blob)


@pytest.mark.django_db
@pytest.mark.parametrize("is_event_first", [True, False])
def test_it_works(agent: Agent, is_event_first: bool) -> None:  # noqa: FBT001 - a parameter
    event_id = uuid4()
    if is_event_first:
        raise_event(agent, event_id)
    record_thumbnails([pictured(agent, event_id, "a", 0.7)])
    if not is_event_first:
        raise_event(agent, event_id)
    assert shown(event_id) == jpeg("a")
    kept = Thumbnail.objects.get()
    assert (kept.score, kept.width, kept.captured_at) == (0.7, 8, START)


@pytest.mark.django_db
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_best_stays_in_whatever_order_they_come(agent: Agent, order: tuple[int, ...]) -> None:
    event_id = uuid4()
    raise_event(agent, event_id)
    offered = [
        pictured(agent, event_id, "early", 0.6),
        pictured(agent, event_id, "best", 0.9, second=1),
        pictured(agent, event_id, "as good, but later", 0.9, second=2),
    ]
    for index in order:
        record_thumbnails([offered[index]])
        record_thumbnails([offered[index]])
    assert shown(event_id) == jpeg("as good, but later")
    assert Thumbnail.objects.count() == 1
    other = uuid4()
    raise_event(agent, other)
    at_once = [msgspec.structs.replace(offered[index].thumbnail, event_id=other) for index in order]
    record_thumbnails(Pictured(agent, each, START) for each in at_once)
    assert shown(other) == jpeg("as good, but later")


@pytest.mark.django_db(transaction=True)
def test_a_picture_that_is_replaced_is_dropped_unless_something_else_shows_it(
    agent: Agent,
) -> None:
    event_id, other = uuid4(), uuid4()
    record_thumbnails([pictured(agent, event_id, "first", 0.5), pictured(agent, other, "o", 0.5)])
    replaced = Blob.objects.get(pk=Thumbnail.objects.get(event_id=event_id).blob_id).path
    record_thumbnails([pictured(agent, event_id, "second", 0.6)])
    assert not default_storage.exists(replaced)
    assert Blob.objects.count() == 2
    record_thumbnails([pictured(agent, event_id, "o", 0.7)])
    record_thumbnails([pictured(agent, event_id, "third", 0.8)])
    kept = Thumbnail.objects.select_related("blob").get(event_id=other).blob
    assert read_blob(kept) == jpeg("o")


@pytest.mark.django_db
def test_agents_do_not_replace_each_others_pictures(agent: Agent) -> None:
    event_id = uuid4()
    record_thumbnails(
        [
            pictured(agent, event_id, "ours", 0.5),
            pictured(make_agent(agent.site), event_id, "theirs", 0.9),
        ]
    )
    raise_event(agent, event_id)
    assert shown(event_id) == jpeg("ours")


@pytest.mark.django_db
def test_many_pictures_cost_few_questions(agent: Agent, django_assert_max_num_queries: Any) -> None:
    event_ids = [uuid4() for _ in range(100)]
    for event_id in event_ids[::2]:
        raise_event(agent, event_id)
    with django_assert_max_num_queries(14):
        record_thumbnails(pictured(agent, each, str(each), 0.5) for each in event_ids)
    with django_assert_max_num_queries(20):
        record_thumbnails(pictured(agent, each, f"{each}!", 0.6) for each in event_ids)
    assert Event.objects.filter(thumbnail=None).count() == 0
