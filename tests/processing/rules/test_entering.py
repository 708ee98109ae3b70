"""A track counts once in a zone, the first time that it is there."""

from uuid import UUID

from processing.wire.scene import Scene, Zone
from tests.processing.rules.stage import GATE, IN_GATE, LABELS, OUTSIDE, Stage, Thing

YARD = Zone(
    zone_id=UUID(int=8), name="Yard", polygon=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
)
PERSON = Thing(7, *IN_GATE)
GONE = Thing(7, *OUTSIDE)
CAR = Thing(8, *IN_GATE, label=1)


def entered(stage: Stage, *things: Thing) -> dict[UUID, list[int]]:
    """Show one frame; return the labels of what came into each zone."""
    stage.play(*things)
    return {zone_id: labels.tolist() for zone_id, labels in stage.book.entered.items()}


def test_it_works() -> None:
    stage = Stage([])
    assert entered(stage, GONE) == {}
    assert entered(stage, PERSON, CAR) == {GATE.zone_id: [0, 1]}
    assert entered(stage, PERSON, CAR) == {}


def test_who_goes_out_and_in_again_counts_once() -> None:
    stage = Stage([])
    assert entered(stage, PERSON) == {GATE.zone_id: [0]}
    stage.play(GONE, seconds=150)
    assert entered(stage, PERSON) == {}


def test_a_track_counts_in_every_zone_that_it_comes_into() -> None:
    stage = Stage([])
    stage.book.tune(Scene(zones=(GATE, YARD)), labels=LABELS, camera_name="Quay")
    assert entered(stage, GONE) == {YARD.zone_id: [0]}
    assert entered(stage, PERSON) == {GATE.zone_id: [0]}


def test_a_zone_that_is_drawn_anew_does_not_count_again_who_has_been_in_it() -> None:
    stage = Stage([])
    stage.play(PERSON)
    wider = Zone(zone_id=GATE.zone_id, name="Gate", polygon=YARD.polygon)
    stage.book.tune(Scene(zones=(wider,)), labels=LABELS, camera_name="Quay")
    assert entered(stage, PERSON, Thing(9, *OUTSIDE)) == {GATE.zone_id: [0]}


def test_tracks_that_are_long_gone_are_forgotten() -> None:
    stage = Stage([])
    stage.play(PERSON)
    stage.play(CAR, seconds=130)
    assert entered(stage, PERSON) == {GATE.zone_id: [0]}
