"""Crowds, directions, things left behind, cameras that somebody has been at."""

import pytest

from processing.wire.scene import Crowded, Heading, LeftBehind, Tampered
from tests.processing.rules.stage import (
    GATE,
    IN_GATE,
    Stage,
    Thing,
    rule,
    seconds_in,
)

CROWD = Crowded(zone_id=GATE.zone_id, at_least=3, after_s=2.0)
LEFTWARDS = Heading(zone_id=GATE.zone_id, degrees=180.0, within_degrees=45.0, after_s=1.0)
LEFT = LeftBehind(zone_id=GATE.zone_id, after_s=10.0)
BAG = Thing(5, *IN_GATE, label=2, width=30, height=30)
OWNER = Thing(6, IN_GATE[0] + 40, IN_GATE[1])
OWNER_AWAY = Thing(6, 900, 300)


def people(n: int) -> list[Thing]:
    return [Thing(track, 250 + 20 * track, 300) for track in range(1, n + 1)]


def test_a_crowd_is_told_of_when_it_stays() -> None:
    stage = Stage([rule(CROWD)])
    stage.play(*people(2), seconds=5)
    stage.play(*people(4), seconds=3)
    stage.play(*people(2), seconds=5)
    start, end = stage.told
    assert (start.phase, seconds_in(start.at)) == ("start", 7.0)
    assert start.title == "4 people in Gate"
    assert start.detail.startswith(
        "4 people have been in Gate, where 3 or more are a crowd, for 2 s (tracks 1, 2, 3 and 4"
    )
    assert (end.phase, seconds_in(end.at)) == ("end", 7.8)


def test_a_crowd_that_falls_short_for_a_moment_is_the_same_crowd() -> None:
    stage = Stage([rule(CROWD)])
    for _ in range(10):
        stage.play(*people(3), seconds=0.6)
        stage.play(*people(2), seconds=1.2)
    assert stage.phases() == ["start"]


@pytest.mark.parametrize(("step", "n_told"), [(-10, 1), (10, 0), (0, 0)])
def test_only_the_wrong_way_is_told(step: int, n_told: int) -> None:
    stage = Stage([rule(LEFTWARDS)])
    for n in range(20):
        stage.play(Thing(7, 400 + step * n, 300, label=1))
    assert len(stage.told) == n_told
    if n_told:
        [start] = stage.told
        assert start.title == "Car heading left in Gate"
        assert start.detail.startswith("A car has been heading left in Gate (180°, give or take")


def test_who_jitters_has_no_direction() -> None:
    stage = Stage([rule(LEFTWARDS)])
    for n in range(50):
        stage.play(Thing(7, 400 + (n * 7 % 5) - 2, 300))
    assert stage.told == []


def test_who_turns_round_ends_it() -> None:
    stage = Stage([rule(LEFTWARDS)])
    places = [*range(550, 250, -10), *range(250, 550, 10)]
    for x in places:
        stage.play(Thing(7, x, 300))
    assert stage.phases() == ["start", "end"]
    turned = 30 * 0.2
    assert turned <= seconds_in(stage.told[-1].at) <= turned + 1.0


def test_a_thing_counts_as_left_behind_from_when_its_owner_leaves() -> None:
    stage = Stage([rule(LEFT)])
    stage.play(BAG, OWNER, seconds=30)
    assert stage.told == []
    stage.play(BAG, OWNER_AWAY, seconds=11)
    [start] = stage.told
    assert seconds_in(start.at) == 40.0
    assert start.title == "Backpack left behind in Gate"
    assert start.detail.startswith("A backpack has lain still in Gate for 10 s with nobody near")
    stage.play(BAG, OWNER, seconds=8)
    assert stage.phases() == ["start", "end"]
    assert seconds_in(stage.told[-1].at) == 40.8


def test_people_who_walk_by_change_nothing() -> None:
    stage = Stage([rule(LEFT)])
    for _ in range(4):
        stage.play(BAG, seconds=4)
        stage.play(OWNER, seconds=2)
    assert [seconds_in(happening.at) for happening in stage.told] == [pytest.approx(12.2, abs=0.3)]


def test_a_thing_that_was_hidden_and_got_a_new_number_is_the_same() -> None:
    stage = Stage([rule(LEFT)])
    for track in range(5, 10):
        stage.play(Thing(track, *IN_GATE, label=2, width=30, height=30), seconds=4)
        stage.play(seconds=2)
    assert stage.phases()[0] == "start"
    assert "end" not in stage.phases()


def test_a_thing_that_is_carried_is_not_left_behind() -> None:
    stage = Stage([rule(LEFT)])
    for n in range(100):
        stage.play(Thing(5, 220 + 3.6 * n, 300, label=2, width=30, height=30))
    assert stage.told == []


def test_a_thing_that_is_put_elsewhere_counts_anew() -> None:
    stage = Stage([rule(LEFT)])
    stage.play(BAG, seconds=9)
    stage.play(Thing(5, 500, 300, label=2, width=30, height=30), seconds=9)
    assert stage.told == []


def test_people_are_not_left_behind_unless_asked_for() -> None:
    lying = Thing(6, *IN_GATE)
    stage = Stage([rule(LEFT)])
    stage.play(lying, seconds=15)
    assert stage.told == []
    stage = Stage([rule(LEFT, labels=("person",))])
    stage.play(lying, seconds=15)
    assert stage.phases() == ["start"]


def test_a_camera_that_somebody_has_been_at() -> None:
    stage = Stage([rule(Tampered(after_s=5.0), name="Hands off")])
    stage.play(seconds=2)
    stage.play(seconds=6, tampered="covered")
    stage.play(seconds=3)
    start, end = stage.told
    assert (start.phase, seconds_in(start.at)) == ("start", 7.0)
    assert start.title == "Quay: covered"
    assert start.detail == ("The picture of Quay has been wrong for 5 s: covered; rule 'Hands off'")
    assert (start.tracks, start.labels, start.best, start.score) == ((), (), None, 0.0)
    assert (end.phase, seconds_in(end.at)) == ("end", 7.8)
