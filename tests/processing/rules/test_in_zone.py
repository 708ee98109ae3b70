"""Who stays in a zone is told of once, with the reason; who flickers or passes by is not."""

from itertools import pairwise

from processing.wire.scene import InZone, Scene, Zone
from tests.processing.rules.stage import (
    GATE,
    HEIGHT,
    IN_GATE,
    LABELS,
    OUTSIDE,
    Stage,
    Thing,
    rule,
    seconds_in,
)

LINGERS = InZone(zone_id=GATE.zone_id, after_s=10.0)
ENTERS = InZone(zone_id=GATE.zone_id)
PERSON = Thing(7, *IN_GATE)
GONE = Thing(7, *OUTSIDE)


def test_it_works() -> None:
    stage = Stage([rule(LINGERS, name="Somebody at the gate")])
    stage.play(GONE, seconds=1)
    stage.play(PERSON, seconds=12)
    stage.play(GONE, seconds=4)
    start, end = stage.told
    assert (start.phase, seconds_in(start.at)) == ("start", 11.0)
    assert start.title == "Person in Gate"
    assert start.detail == (
        "A person has been in Gate for 10 s (track 7, best score 0.80); rule 'Somebody at the gate'"
    )
    assert (start.labels, start.tracks, start.best) == (("person",), (7,), 0)
    assert (end.phase, seconds_in(end.at)) == ("end", 12.8)
    assert end.event_id == start.event_id
    assert end.started_at == start.at
    assert end.detail.startswith("A person was in Gate for 12 s")


def test_without_a_time_the_first_sight_counts() -> None:
    stage = Stage([rule(ENTERS)])
    assert [happening.phase for happening in stage.play(PERSON)] == ["start"]


def test_who_passes_by_is_not_told_of() -> None:
    stage = Stage([rule(LINGERS)])
    for track in range(1, 9):
        stage.play(Thing(track, *IN_GATE), seconds=5)
    stage.play(seconds=5)
    assert stage.told == []


def test_a_flicker_neither_ends_a_stay_nor_begins_it_anew() -> None:
    stage = Stage([rule(LINGERS)])
    for _ in range(10):
        stage.play(PERSON, seconds=0.6)
        stage.play(seconds=1.4)
    [start] = stage.told
    assert seconds_in(start.at) == 10.0


def test_all_who_are_there_are_one_event() -> None:
    stage = Stage([rule(ENTERS)])
    car = Thing(8, 400, 300, label=1, score=0.9)
    stage.play(PERSON, seconds=2)
    stage.play(PERSON, car, seconds=2)
    stage.play(car, seconds=6)
    stage.play(seconds=4)
    assert stage.phases() == ["start", "update", "update", "end"]
    assert len({happening.event_id for happening in stage.told}) == 1
    assert [happening.tracks for happening in stage.told] == [(7,), (7, 8), (8,), (7, 8)]
    assert stage.told[1].title == "Car and person in Gate"
    assert stage.told[-1].score == stage.told[1].score > 0.85


def test_updates_are_a_second_apart() -> None:
    stage = Stage([rule(ENTERS)])
    for n in range(1, 40):
        stage.play(*(Thing(track, *IN_GATE) for track in range(1, n)))
    told = [happening.at for happening in stage.told]
    assert len(told) > 5
    assert all((b - a).total_seconds() >= 1.0 for a, b in pairwise(told))


def test_only_wanted_classes_count() -> None:
    stage = Stage([rule(ENTERS, labels=("car",))])
    stage.play(PERSON, seconds=2)
    assert stage.told == []
    stage.play(Thing(8, *IN_GATE, label=1))
    assert stage.phases() == ["start"]


def test_after_an_event_the_rule_is_quiet() -> None:
    stage = Stage([rule(ENTERS, quiet_s=30.0)])
    stage.play(PERSON, seconds=1)
    stage.play(seconds=4)
    stage.play(Thing(8, *IN_GATE), seconds=40)
    start, end, again = stage.told
    assert (again.at - end.at).total_seconds() == 30.0
    assert again.event_id != start.event_id


def test_an_event_is_seen_again_when_it_looks_better() -> None:
    stage = Stage([rule(ENTERS)])
    glimpses = []
    for score in (0.5, 0.51, 0.7, 0.6, 0.9):
        stage.play(Thing(3, *OUTSIDE), Thing(7, *IN_GATE, score=score))
        glimpses.append([(g.best, round(g.score, 2)) for g in stage.book.glimpses])
    assert glimpses == [[(1, 0.5)], [], [(1, 0.7)], [], [(1, 0.9)]]
    assert stage.book.glimpses[0].event_id == stage.told[0].event_id


def test_feet_on_the_rim_of_the_picture_are_in_a_zone_that_reaches_it() -> None:
    stage = Stage([])
    quay = Zone(zone_id=GATE.zone_id, name="Quay", polygon=((0, 0.5), (1, 0.5), (1, 1), (0, 1)))
    rimmed = Scene(zones=(quay,), rules=(rule(ENTERS),))
    stage.book.tune(rimmed, labels=LABELS, camera_name="Quay")
    assert [happening.phase for happening in stage.play(Thing(7, 300, HEIGHT))] == ["start"]
