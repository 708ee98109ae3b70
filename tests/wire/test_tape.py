"""Whatever a reader does: bounded, in order, and it can always begin with what it gets."""

from hypothesis import given
from hypothesis import strategies as st

from processing.wire.tape import Kind, Tape

MOST = 100
ALL = 10**6


def test_it_works() -> None:
    tape = Tape[str](MOST)
    tape.put("key", 10, "key")
    tape.put("boxes", 1, "boxes")
    tape.put("delta", 5, "delta")
    assert tape.take(ALL) == ["key", "boxes", "delta"]
    assert tape.take(ALL) == []


def test_who_joins_waits_for_a_key_picture() -> None:
    tape = Tape[str](MOST)
    tape.put("delta", 5, "delta")
    tape.put("key", 10, "key")
    assert tape.take(ALL) == ["key"]


def test_who_falls_behind_skips_to_the_next_key_picture() -> None:
    tape = Tape[str](MOST)
    tape.put("key", 60, "key")
    for name in ("one", "two", "three"):
        tape.put(name, 30, "delta")
    assert not tape
    tape.put("boxes", 1, "boxes")
    tape.put("next", 60, "key")
    tape.put("four", 5, "delta")
    assert tape.take(ALL) == ["boxes", "next", "four"]
    assert tape.n_skipped == 4


def test_a_key_picture_does_not_wait_behind_many_others() -> None:
    tape = Tape[str](MOST)
    tape.put("key", 1, "key")
    for _ in range(10):
        tape.put("delta", 1, "delta")
    tape.put("next", 1, "key")
    assert tape.take(ALL) == ["next"]


def test_what_is_too_large_for_all_of_it_is_never_kept() -> None:
    tape = Tape[str](MOST)
    tape.put("key", MOST + 1, "key")
    tape.put("delta", 1, "delta")
    assert not tape


def test_a_flight_is_as_large_as_it_may_be_and_never_empty() -> None:
    tape = Tape[str](MOST)
    tape.put("key", 60, "key")
    tape.put("one", 10, "delta")
    tape.put("two", 30, "delta")
    assert tape.take(50) == ["key"]
    assert tape.take(35) == ["one"]
    assert tape.n_bytes == 30


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["key", "delta", "boxes"]), st.integers(1, 150)),
            st.tuples(st.just("take"), st.integers(1, 150)),
        ),
        max_size=80,
    )
)
def test_nothing_is_taken_whose_ground_was_not(steps: list[tuple[str, int]]) -> None:
    tape = Tape[tuple[int, Kind]](MOST)
    number, seen = 0, 0
    for what, size in steps:
        match what:
            case "key" | "delta":
                number += 1
                tape.put((number, what), size, what)
            case "boxes":
                tape.put((0, "boxes"), size, "boxes")
            case _:
                for taken, kind in tape.take(size):
                    assert kind != "delta" or taken == seen + 1
                    assert kind == "boxes" or taken > seen
                    seen = taken or seen
        assert tape.n_bytes <= MOST
