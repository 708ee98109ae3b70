"""One event is one row, whatever the order its words come in and however often."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processing.wire.limits import MAX_CLIP_BYTES
from processing.wire.messages import ClipMade, EventRaised
from tests.factories import START, make_agent
from webapp.events.actions import Raised, record_raised
from webapp.events.life import join_all, life_of_word
from webapp.events.models import Clip, Event, Word
from webapp.fleet.models import Agent, Camera

LATER = timedelta(seconds=1)
RULE = UUID(int=7)
SEEN: Any = ("once", "start", "update", "end")

words = st.builds(
    EventRaised,
    kind=st.sampled_from(["in_zone", "crossed"]),
    occurred_at=st.integers(0, 5).map(lambda s: START + timedelta(seconds=s)),
    title=st.sampled_from(["Person in Gate", "Two persons in Gate", "a\0b"]),
    detail=st.sampled_from(["", "for 3 s", "for 5 s"]),
    severity=st.sampled_from(["info", "warning", "error"]),
    phase=st.sampled_from(SEEN),
    rule_id=st.sampled_from([None, RULE]),
    started_at=st.none() | st.integers(-3, 3).map(lambda s: START + timedelta(seconds=s)),
    labels=st.lists(st.sampled_from(["person", "car", "dog"]), max_size=3).map(tuple),
    tracks=st.lists(st.integers(1, 5), max_size=4).map(tuple),
)


def raised(agent: Agent, word: EventRaised, seq: int = 1) -> Raised:
    lane: Any = "alerts" if word.severity != "info" else "events"
    return Raised(agent, 1, lane, seq, word, START)


def word(event_id: UUID, phase: str, second: int = 0, **fields: Any) -> EventRaised:
    told = EventRaised(
        kind="in_zone",
        occurred_at=START + second * LATER,
        title="Person in Gate",
        phase=phase,  # type: ignore[arg-type]  # one of them
        event_id=event_id,
    )
    return msgspec.structs.replace(told, **fields)


def told(event: Event) -> dict[str, object]:
    """Return all that is known of an event, without the names of its rows."""
    names = {field.attname for field in Event._meta.concrete_fields} - {"id", "event_id"}
    return {name: getattr(event, name) for name in names} | {
        "words": sorted((each.digest, each.phase) for each in event.words.all())
    }


@pytest.mark.django_db
def test_it_works(agent: Agent, camera: Camera) -> None:
    event_id = uuid4()
    start = word(event_id, "start", camera_id=camera.id, labels=("person",), tracks=(7,))
    goes_on = word(event_id, "update", 4, tracks=(7, 9), detail="two of them")
    end = word(event_id, "end", 9, camera_id=camera.id, rule_id=RULE, detail="was there for 9 s")
    for seq, each in enumerate((start, goes_on, end), 1):
        record_raised([raised(agent, each, seq)])
    event = Event.objects.get()
    assert (event.state, event.camera, event.rule_id) == ("over", camera, RULE)
    assert (event.occurred_at, event.ended_at) == (START, START + 9 * LATER)
    assert event.lasted == 9 * LATER
    assert (event.labels, event.tracks, event.n_updates) == (["person"], [7, 9], 1)
    assert event.detail == "was there for 9 s"
    assert [each.phase for each in event.words.all()] == ["start", "update", "end"]


@pytest.mark.django_db
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), said=st.lists(words, min_size=1, max_size=5))
def test_any_order_and_any_repeats_end_in_the_same_row(
    agent: Agent, data: st.DataObject, said: list[EventRaised]
) -> None:
    """The same words, in two events: once as they were said, once shuffled, repeated, in groups."""
    plain, mixed = uuid4(), uuid4()
    record_raised([raised(agent, msgspec.structs.replace(each, event_id=plain)) for each in said])
    again = data.draw(st.permutations(said + data.draw(st.lists(st.sampled_from(said)))))
    while again:
        n = data.draw(st.integers(1, len(again)))
        record_raised(
            raised(agent, msgspec.structs.replace(each, event_id=mixed)) for each in again[:n]
        )
        again = again[n:]
    one, other = Event.objects.get(event_id=plain), Event.objects.get(event_id=mixed)
    # Digests are of the whole word, its event's name too: compare how many, and of which phase.
    first, second = told(one), told(other)
    for each in (first, second):
        each["words"] = sorted(phase for _, phase in each["words"])  # type: ignore[attr-defined]
    assert first == second
    distinct = {msgspec.json.encode(each) for each in said if each.phase == "update"}
    assert one.n_updates == len(distinct)


@given(st.lists(words, min_size=1, max_size=6))
def test_a_life_is_what_its_words_say(said: list[EventRaised]) -> None:
    """Against a plain reading of the rules, one by one."""
    life = join_all(*(life_of_word(each) for each in said))
    begins = [each.started_at for each in said if each.started_at] + [
        each.occurred_at for each in said
    ]
    ends = [each.occurred_at for each in said if each.phase == "end"]
    assert life.began_at == min(begins)
    assert life.ended_at == (min(ends) if ends else None)
    phases = {each.phase for each in said}
    expected = "over" if ends else "once" if phases == {"once"} else "running"
    assert life.state == expected
    last = max(ends) if ends else max(each.occurred_at for each in said)
    assert life.spoken.at == last
    assert (life.spoken.phase == "end") == bool(ends)
    assert set(life.tracks) == {track for each in said for track in each.tracks}
    assert set(life.labels) == {label for each in said for label in each.labels}


@pytest.mark.django_db
def test_the_events_of_two_agents_are_two_even_with_the_same_name(agent: Agent) -> None:
    event_id = uuid4()
    other = make_agent(agent.site)
    record_raised([raised(agent, word(event_id, "start")), raised(other, word(event_id, "end"))])
    assert set(Event.objects.values_list("agent", "state")) == {
        (agent.pk, "running"), (other.pk, "over"),
    }  # fmt: skip


@pytest.mark.django_db
def test_a_clip_comes_with_a_word_and_stays_one(agent: Agent) -> None:
    event_id = uuid4()
    clip = ClipMade(clip_id=uuid4(), begins_at=START, seconds=12.5, n_bytes=1000)
    end = word(event_id, "end", 9, clip=clip)
    record_raised([raised(agent, word(event_id, "start"))])
    record_raised([raised(agent, end), raised(agent, end)])
    record_raised([raised(agent, end)])
    kept = Clip.objects.get()
    assert (kept.event.event_id, kept.clip_id, kept.state) == (event_id, clip.clip_id, "kept")
    assert (kept.begins_at, kept.seconds, kept.n_bytes) == (START, 12.5, 1000)


@pytest.mark.django_db
def test_a_word_that_is_repeated_to_add_a_clip_is_told_once(agent: Agent) -> None:
    event_id = uuid4()
    clip = ClipMade(clip_id=uuid4(), begins_at=START, seconds=12.5, n_bytes=1000)
    for phase in ("update", "end"):
        record_raised([raised(agent, word(event_id, phase, 9))])
        record_raised([raised(agent, word(event_id, phase, 9, clip=clip))])
    event = Event.objects.get()
    assert [each.phase for each in event.words.all()] == ["update", "end"]
    assert (event.n_updates, event.clips.count()) == (1, 1)


@pytest.mark.django_db
def test_a_clip_that_is_too_large_is_never_asked_for(agent: Agent) -> None:
    clip = ClipMade(clip_id=uuid4(), begins_at=START, seconds=600, n_bytes=MAX_CLIP_BYTES + 1)
    record_raised([raised(agent, word(uuid4(), "end", clip=clip))])
    kept = Clip.objects.get()
    assert (kept.state, kept.reason) == ("gone", "It is larger than the hub takes.")


@pytest.mark.django_db
def test_many_words_cost_few_questions(agent: Agent, django_assert_max_num_queries: Any) -> None:
    event_ids = [uuid4() for _ in range(250)]
    starts = [raised(agent, word(event_id, "start"), n) for n, event_id in enumerate(event_ids, 1)]
    ends = [raised(agent, word(event_id, "end", 5), n) for n, event_id in enumerate(event_ids, 1)]
    # SQLite takes 999 values a statement, so rows go in packs of a few dozen.
    with django_assert_max_num_queries(40):
        record_raised(starts)
    with django_assert_max_num_queries(40):
        record_raised(ends + starts)
    assert Event.objects.filter(state="over").count() == 250
    assert Word.objects.count() == 500
