"""Hours of the week in words, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.wire.camera import Window
from webapp.dashboard.hours import BadHours, hours_in_words, parse_hours

windows = st.lists(
    st.builds(
        Window,
        days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
        from_minute=st.integers(0, 1439),
        to_minute=st.integers(0, 1440),
    ).filter(lambda window: window.from_minute != window.to_minute),
    max_size=6,
).map(tuple)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("", ()),
        ("Mon 08:00-18:00", (Window(days=(0,), from_minute=480, to_minute=1080),)),
        (
            "mon-wed, fri 8:00 \N{EN DASH} 9:30",
            (Window(days=(0, 1, 2, 4), from_minute=480, to_minute=570),),
        ),
        ("Fri-Mon 22:00-06:00", (Window(days=(0, 4, 5, 6), from_minute=1320, to_minute=360),)),
        (
            "Sat 0:00-24:00; Sun 1:00-2:00",
            (
                Window(days=(5,), from_minute=0, to_minute=1440),
                Window(days=(6,), from_minute=60, to_minute=120),
            ),
        ),
    ],
)
def test_it_works(words: str, meant: tuple[Window, ...]) -> None:
    assert parse_hours(words) == meant


@given(windows)
def test_whatever_is_written_is_read_back(given_: tuple[Window, ...]) -> None:
    assert parse_hours(hours_in_words(given_)) == given_


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("always", "Not understood"),
        ("Mon 25:00-26:00", "25:00"),
        ("Mon 10:75-11:00", "10:75"),
        ("Mon 24:00-06:00", "the day after"),
        ("Mon 8:00-8:00", "ends when it begins"),
        ("Moo 1:00-2:00", "Moo"),
        ("Mon 8:00-9:00 and more", "Not understood"),
        (", ".join(["Mon 8:00-9:00"] * 29), "At most 28"),
    ],
)
def test_what_says_no_hours_is_refused_in_words(words: str, said: str) -> None:
    with pytest.raises(BadHours, match=said):
        parse_hours(words)


@given(st.text(alphabet="MonTueFri 0123456789:-,;", max_size=60))
def test_whatever_is_written_is_hours_or_is_refused(words: str) -> None:
    try:
        found = parse_hours(words)
    except BadHours:
        return
    assert parse_hours(hours_in_words(found)) == found
