"""A camera is watched in its hours: over midnight, in its own zone, summer and winter."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.schedule import is_open, next_open, why_closed, zone_of
from processing.wire.camera import Schedule, Window

SUNDAY = datetime(2026, 11, 22, tzinfo=UTC)
OFFICE = Schedule(windows=(Window(days=(0, 1, 2, 3, 4), from_minute=480, to_minute=1080),))
NIGHT = Schedule(
    windows=(Window(days=(5,), from_minute=22 * 60, to_minute=6 * 60),),
    time_zone="Europe/Berlin",
)
windows = st.lists(
    st.builds(
        Window,
        days=st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True).map(tuple),
        from_minute=st.integers(0, 1439),
        to_minute=st.integers(0, 1440),
    ),
    min_size=1,
    max_size=4,
).map(tuple)
instants = st.integers(0, 14 * 24 * 60).map(lambda minutes: SUNDAY + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("hours", "is_in"), [(32, True), (31.99, False), (41.99, True), (42, False), (12, False)]
)
def test_it_works(hours: float, *, is_in: bool) -> None:
    assert is_open(OFFICE, SUNDAY + timedelta(hours=hours)) is is_in


def test_without_windows_it_is_always_open() -> None:
    assert is_open(Schedule(), SUNDAY)
    assert why_closed(Schedule(), SUNDAY) == ""


@pytest.mark.parametrize(
    ("text", "is_in"),
    [
        ("2026-11-21T20:59Z", False),  # 21:59 in Berlin
        ("2026-11-21T21:00Z", True),
        ("2026-11-22T04:59Z", True),
        ("2026-11-22T05:00Z", False),
        ("2026-11-20T23:00Z", False),  # Saturday has begun in Berlin, its night has not
        ("2026-07-18T20:00Z", True),  # in summer an hour earlier
        ("2026-07-18T19:59Z", False),
    ],
)
def test_a_night_goes_on_after_midnight_by_the_clock_on_the_wall(text: str, *, is_in: bool) -> None:
    assert is_open(NIGHT, datetime.fromisoformat(text)) is is_in


def test_it_is_told_when_it_opens_next() -> None:
    assert why_closed(OFFICE, SUNDAY) == "outside its hours (next: Mon 08:00)"
    assert why_closed(NIGHT, SUNDAY + timedelta(hours=12)) == "outside its hours (next: Sat 22:00)"


def test_hours_that_never_come_are_told_without_a_next() -> None:
    never = Schedule(windows=(Window(days=(0,), from_minute=60, to_minute=60),))
    assert why_closed(never, SUNDAY) == "outside its hours"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "Europe", " ", "\0"])
def test_an_unknown_zone_is_taken_for_utc(zone: str) -> None:
    schedule = Schedule(windows=OFFICE.windows, time_zone=zone)
    assert zone_of(schedule) is None
    assert is_open(schedule, SUNDAY + timedelta(hours=32))


@given(windows, instants)
def test_it_opens_at_the_next_instant_told_and_not_before(
    windows: tuple[Window, ...], at: datetime
) -> None:
    schedule = Schedule(windows=windows)
    begin = next_open(schedule, at)
    if begin is None:
        assert not is_open(schedule, at)
        return
    assert begin > at
    assert is_open(schedule, begin)
    if not is_open(schedule, at):
        n_minutes = int((begin - at).total_seconds() // 60)
        between = (at + timedelta(minutes=n) for n in range(0, n_minutes, 7))
        assert not any(is_open(schedule, instant) for instant in between)
