"""Who is next: by deadline, in fair shares, somebody's waiting before batches; never too many."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.tier.contract import Urgency
from processing.tier.queueing.line import LEEWAY, Line, Place

CAP = 12


def place(deadline_s: float, tenant: str = "a", urgency: Urgency = "interactive") -> Place[str]:
    return Place(item="", tenant=tenant, urgency=urgency, deadline_s=deadline_s)


places = st.builds(
    place,
    st.integers(0, 50).map(float),
    st.sampled_from("abcd"),
    st.sampled_from(["interactive", "batch"]),
)


def fill(*waiting: Place[str], cap: int = 1000) -> Line[str]:
    line: Line[str] = Line(cap)
    for each in waiting:
        line.add(each)
    return line


def take_all(line: Line[str]) -> list[Place[str]]:
    taken = []
    while (next_ := line.take()) is not None:
        taken.append(next_)
    return taken


def test_it_works() -> None:
    late, early, soon = place(3.0), place(1.0), place(2.0)
    assert take_all(fill(late, early, soon)) == [early, soon, late]


def test_of_equal_deadlines_the_first_come_is_first() -> None:
    waiting = [place(1.0) for _ in range(5)]
    assert take_all(fill(*waiting)) == waiting


def test_batches_come_after_all_others_however_urgent() -> None:
    batch, other = place(1.0, urgency="batch"), place(100.0)
    assert take_all(fill(batch, other)) == [other, batch]


def test_a_tenant_with_many_urgent_ones_stands_back() -> None:
    line = fill(*(place(1.0, "flood") for _ in range(100)), place(50.0, "modest"))
    taken = [each.tenant for each in take_all(line)]
    assert taken.index("modest") <= 9


def test_a_newcomer_makes_up_for_nothing_it_missed() -> None:
    line = fill(*(place(1.0, "old") for _ in range(100)))
    for _ in range(50):
        line.take()
    for _ in range(50):
        line.add(place(1.0, "new"))
    tenants = Counter(each.tenant for each in [line.take() for _ in range(60)] if each)
    assert abs(tenants["old"] - tenants["new"]) <= LEEWAY + 1


def test_in_a_full_line_whoever_has_most_makes_room() -> None:
    line = fill(*(place(float(n), "flood") for n in range(CAP)), cap=CAP)
    leaving = line.add(place(99.0, "modest"))
    assert leaving is not None
    assert (leaving.tenant, leaving.deadline_s) == ("flood", CAP - 1.0)
    assert len(line) == CAP


def test_in_a_full_line_batches_make_room_first() -> None:
    line = fill(*(place(1.0) for _ in range(CAP - 1)), place(1.0, "b", "batch"), cap=CAP)
    leaving = line.add(place(9.0))
    assert leaving is not None
    assert leaving.urgency == "batch"


def test_a_batch_finds_no_place_among_those_in_a_hurry() -> None:
    line, batch = fill(*(place(1.0) for _ in range(CAP)), cap=CAP), place(0.5, "b", "batch")
    assert line.add(batch) is batch
    assert batch not in list(line)


def test_who_has_most_pushes_only_its_own_out() -> None:
    line = fill(*(place(5.0) for _ in range(CAP - 1)), place(9.0, "b"), cap=CAP)
    late, early = place(6.0), place(1.0)
    assert line.add(late) is late
    leaving = line.add(early)
    assert leaving is not None
    assert (leaving.tenant, leaving.deadline_s) == ("a", 5.0)


def test_one_who_went_away_is_not_taken() -> None:
    staying, leaving = place(2.0), place(1.0)
    line = fill(staying, leaving)
    line.discard(leaving)
    line.discard(leaving)
    assert take_all(line) == [staying]
    line.discard(staying)
    assert len(line) == 0


@given(st.lists(places, max_size=40))
def test_it_is_never_longer_than_its_cap_and_loses_nobody(waiting: list[Place[str]]) -> None:
    line: Line[str] = Line(CAP)
    left = []
    for each in waiting:
        leaving = line.add(each)
        left += [leaving] if leaving is not None else []
        assert len(line) <= CAP
    assert len(left) == max(0, len(waiting) - CAP)
    both = [*take_all(line), *left]
    assert sorted(map(id, both)) == sorted(map(id, waiting))


@given(st.lists(places, max_size=30), st.floats(0, 60))
def test_exactly_what_is_too_late_is_dropped(waiting: list[Place[str]], now_s: float) -> None:
    line = fill(*waiting)
    dropped = line.drop(lambda each: each.deadline_s < now_s)
    assert all(each.deadline_s < now_s for each in dropped)
    staying = take_all(line)
    assert all(each.deadline_s >= now_s for each in staying)
    assert len(dropped) + len(staying) == len(waiting)


@given(st.lists(places, min_size=1, max_size=60))
def test_nobody_starves(waiting: list[Place[str]]) -> None:
    """While all wait, no tenant of a class is more than the leeway ahead of another."""
    line = fill(*waiting)
    for urgency in ("interactive", "batch"):
        left = Counter(each.tenant for each in waiting if each.urgency == urgency)
        had: Counter[str] = Counter()
        while left and (next_ := line.take()) is not None:
            assert next_.urgency == urgency
            assert had[next_.tenant] - min(had[tenant] for tenant in left) <= LEEWAY
            had[next_.tenant] += 1
            left[next_.tenant] -= 1
            left += Counter()
    assert len(line) == 0


@given(st.lists(places, max_size=40), places)
def test_who_goes_first_is_foreseen(waiting: list[Place[str]], newcomer: Place[str]) -> None:
    """Exactly, for a tenant alone; with others, never by more than each one's leeway."""
    line = fill(*waiting)
    foreseen = line.n_ahead(
        tenant=newcomer.tenant, urgency=newcomer.urgency, deadline_s=newcomer.deadline_s
    )
    line.add(newcomer)
    n_ahead = take_all(line).index(newcomer)
    n_tenants = len({(each.tenant, each.urgency) for each in waiting})
    assert abs(n_ahead - foreseen) <= 2 * (LEEWAY + 1) * n_tenants
    if {(each.tenant, each.urgency) for each in waiting} == {(newcomer.tenant, newcomer.urgency)}:
        assert n_ahead == foreseen


def test_many_tenants_cost_no_memory_once_they_are_gone() -> None:
    line: Line[str] = Line(CAP)
    for number in range(1000):
        line.add(place(float(number), f"tenant {number}"))
        if number % 2:
            line.take()
    take_all(line)
    assert not any(each.queues for each in line._classes.values())


@pytest.mark.parametrize("urgency", ["interactive", "batch"])
def test_an_empty_line_has_nobody(urgency: Urgency) -> None:
    line: Line[str] = Line(CAP)
    assert line.take() is None
    assert line.n_ahead(tenant="a", urgency=urgency, deadline_s=1.0) == 0
    assert line.drop(lambda each: True) == []
