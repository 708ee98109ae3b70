"""Whatever is seen, every event begins once, ends once, and leaves its rule the rest it asked."""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processing.rules.happening import Happening
from processing.vision.detections import Detections
from processing.wire.scene import (
    Condition,
    Crossed,
    Crowded,
    Heading,
    InZone,
    LeftBehind,
    Rule,
    Scene,
    Tampered,
)
from tests.processing.rules.stage import FENCE, GATE, LABELS, Stage, Thing, rule, scene, seen

seconds = st.sampled_from([0.0, 0.5, 2.0, 6.0])
conditions: st.SearchStrategy[Condition] = st.one_of(
    st.builds(InZone, zone_id=st.just(GATE.zone_id), after_s=seconds),
    st.builds(Crossed, line_id=st.just(FENCE.line_id)),
    st.builds(Crowded, zone_id=st.just(GATE.zone_id), at_least=st.just(2), after_s=seconds),
    st.builds(Heading, zone_id=st.just(GATE.zone_id), degrees=st.just(0.0), after_s=seconds),
    st.builds(LeftBehind, zone_id=st.just(GATE.zone_id), after_s=seconds),
    st.builds(Tampered, after_s=seconds),
)
things = st.builds(
    Thing,
    track=st.integers(0, 6),
    x=st.sampled_from([100.0, 300.0, 310.0, 480.0, 520.0, 900.0]),
    y=st.sampled_from([50.0, 300.0, 500.0]),
    label=st.integers(-1, 4),
    score=st.floats(0, 1, width=32),
)
frames = st.tuples(
    st.lists(things, max_size=6, unique_by=lambda thing: thing.track),
    st.one_of(st.none(), st.sampled_from(["covered", "moved"])),
    st.sampled_from([0.0, 0.2, 0.2, 0.2, 1.0, 1.9, 70.0, -0.5, -3600.0]),
    st.integers(1, 15),
)
Frame = tuple[list[Thing], str | None, float, int]


def play(stage: Stage, shown: list[Frame]) -> list[datetime]:
    """Show each picture so many times; return the time of each frame."""
    times = []
    for seen_things, tampered, later_s, n_times in shown:
        stage.at += timedelta(seconds=later_s)
        for _ in range(n_times):
            times.append(stage.at)
            stage.show(seen_things, tampered=tampered)
    return times


def words_by_event(told: list[Happening]) -> dict[UUID, list[Happening]]:
    events = defaultdict(list)
    for happening in told:
        events[happening.event_id].append(happening)
    return events


@given(st.lists(st.tuples(conditions, seconds), min_size=1, max_size=4), st.lists(frames))
def test_every_event_has_one_beginning_and_one_end(
    made: list[tuple[Condition, float]], shown: list[Frame]
) -> None:
    stage = Stage(
        [rule(condition, number=n, quiet_s=quiet_s) for n, (condition, quiet_s) in enumerate(made)]
    )
    play(stage, shown)
    stage.told += stage.book.end_all(stage.at)
    for words in words_by_event(stage.told).values():
        phases = [word.phase for word in words]
        assert phases == ["once"] or (
            phases[0] == "start"
            and phases[-1] == "end"
            and set(phases[1:-1]) <= {"update"}
            and len(phases) > 1
        )
        times = [word.at for word in words]
        assert times == sorted(times)
        assert {word.started_at for word in words} == {times[0]}
        assert {word.rule.rule_id for word in words} == {words[0].rule.rule_id}
        for word in words:
            assert word.title
            assert word.rule.name in word.detail
            assert 0.0 <= word.score <= 1.0
            assert 0 not in word.tracks


@given(
    conditions,
    st.sampled_from([0.5, 2.0, 6.0]),
    st.lists(frames.filter(lambda frame: frame[2] >= 0.0)),
)
def test_nothing_begins_while_a_rule_rests(
    condition: Condition, quiet_s: float, shown: list[Frame]
) -> None:
    stage = Stage([rule(condition, quiet_s=quiet_s)])
    play(stage, shown)
    rests_until = None
    for happening in stage.told:
        if happening.phase in {"start", "once"} and rests_until is not None:
            assert happening.at >= rests_until
        if happening.phase in {"end", "once"}:
            rests_until = happening.at + timedelta(seconds=quiet_s)


@given(st.lists(frames), st.lists(st.tuples(conditions, seconds), max_size=3))
def test_a_picture_of_an_event_is_a_detection_in_it(
    shown: list[Frame], made: list[tuple[Condition, float]]
) -> None:
    stage = Stage([rule(condition, number=n) for n, (condition, _) in enumerate(made)])
    for seen_things, tampered, later_s, _ in shown:
        stage.at += timedelta(seconds=later_s)
        for happening in stage.show(seen_things, tampered=tampered):
            if happening.best is not None:
                assert seen_things[happening.best].track in happening.tracks
        for glimpse in stage.book.glimpses:
            assert glimpse.score == seen_things[glimpse.best].score


ENTERS = rule(InZone(zone_id=GATE.zone_id))
PERSON = Thing(7, 300, 300)


def tune(stage: Stage, *rules: Rule) -> list[str]:
    told = stage.book.tune(scene(*rules), labels=LABELS, camera_name="Quay")
    return [happening.phase for happening in told]


def test_a_rule_that_stays_the_same_keeps_its_event() -> None:
    stage = Stage([ENTERS])
    stage.play(PERSON, seconds=1)
    other = rule(Tampered(), number=8)
    assert tune(stage, other, ENTERS) == []
    assert stage.play(PERSON, seconds=2) == []


def test_a_rule_that_goes_or_changes_ends_its_event() -> None:
    stage = Stage([ENTERS])
    stage.play(PERSON, seconds=1)
    assert tune(stage) == ["end"]
    assert stage.play(PERSON) == []
    assert tune(stage, ENTERS) == []
    stage.play(PERSON, seconds=1)
    assert tune(stage, rule(ENTERS.condition, severity="error")) == ["end"]
    stage.play(PERSON, seconds=1)
    assert stage.book.tune(Scene(rules=(ENTERS,)), labels=LABELS, camera_name="Quay") != []
    assert stage.play(PERSON) == []


def test_another_bundle_numbers_the_same_classes_otherwise() -> None:
    cars = rule(InZone(zone_id=GATE.zone_id), labels=("car",))
    stage = Stage([cars])
    stage.book.tune(scene(cars), labels=("car", "person"), camera_name="Quay")
    [start] = stage.play(Thing(7, 300, 300, label=0))
    assert start.labels == ("car",)


def test_what_runs_ends_with_the_camera() -> None:
    stage = Stage([ENTERS])
    stage.play(PERSON, seconds=4)
    stopped_at = stage.at
    [end] = stage.book.end_all(stopped_at)
    assert (end.phase, end.at) == ("end", stopped_at)
    assert stage.book.end_all(stopped_at) == []


def test_what_was_over_long_before_the_camera_stopped_ends_then() -> None:
    stage = Stage([ENTERS])
    stage.play(PERSON, seconds=4)
    [end] = stage.book.end_all(stage.at + timedelta(hours=1))
    assert end.at == stage.at - timedelta(seconds=0.2)


def test_a_clock_that_leaps_ends_what_runs_and_begins_anew() -> None:
    for leap in (timedelta(days=1), timedelta(days=-1)):
        stage = Stage([rule(InZone(zone_id=GATE.zone_id, after_s=2.0), quiet_s=30.0)])
        stage.play(PERSON, seconds=4)
        last_at = stage.at - timedelta(seconds=0.2)
        stage.at += leap
        leapt_at = stage.at
        stage.play(PERSON, seconds=60)
        start, end, again = stage.told
        assert (start.phase, end.phase, again.phase) == ("start", "end", "start")
        assert end.at == last_at
        rest_s = 30.0 if leap < timedelta() else 2.0
        assert again.at == leapt_at + timedelta(seconds=rest_s)


def test_a_clock_that_is_put_right_by_a_little_changes_nothing() -> None:
    stage = Stage([ENTERS])
    for _ in range(20):
        stage.play(PERSON, seconds=1)
        stage.at -= timedelta(seconds=0.7)
    assert stage.phases() == ["start"]


def test_odd_data_is_no_error() -> None:
    nowhere = UUID(int=404)
    stage = Stage(
        [
            rule(InZone(zone_id=nowhere), number=1),
            rule(Crossed(line_id=nowhere), number=2),
            rule(LeftBehind(zone_id=nowhere), number=3),
            rule(InZone(zone_id=GATE.zone_id), number=4, labels=("unicorn",)),
        ]
    )
    stage.play(PERSON, seconds=2)
    broken = Detections(
        np.array([[np.nan] * 4, [0, 0, np.inf, 1], [300, 300, 100, 100]], np.float32),
        np.array([np.nan, 2.0, -1.0], np.float32),
        np.array([0, 99, -1], np.int32),
        np.array([1, 2, 3], np.int64),
    )
    told = stage.book.look(broken, width=0, height=0, at=stage.at, tampered=None)
    assert [*stage.told, *told] == []


def test_a_bundle_without_labels_sees_nothing() -> None:
    stage = Stage([])
    stage.book.tune(scene(ENTERS), labels=(), camera_name="Quay")
    assert stage.book.look(seen([PERSON]), width=100, height=100, at=stage.at, tampered=None) == []
