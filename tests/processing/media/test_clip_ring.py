"""The ring holds the last seconds from a key picture on, and never more than its bytes."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from processing.media.clip_packets import Coding, EncodedPicture
from processing.media.clip_ring import PacketRing
from tests.processing.media.numbered import NOON

CODING = Coding("h264", 320, 240)


def picture(at_s: float, *, is_key: bool, n_bytes: int = 100) -> EncodedPicture:
    at = NOON + timedelta(seconds=at_s)
    return EncodedPicture(CODING, bytes(n_bytes), is_key, at, at_s, stretch=1)


def filled(n: int, *, keys_every: int, hold_s: float, max_bytes: int = 10**6) -> PacketRing:
    """Return a ring after `n` pictures, ten a second."""
    ring = PacketRing(max_bytes=max_bytes)
    ring.hold(hold_s)
    for number in range(n):
        ring.put(picture(number / 10, is_key=number % keys_every == 0))
    return ring


def held(ring: PacketRing) -> list[EncodedPicture]:
    return list(ring.read(0, at_most=10**6).pictures)


def test_it_works() -> None:
    ring = filled(100, keys_every=10, hold_s=3)
    pictures = held(ring)
    assert pictures[0].is_key
    assert [one.time_s for one in pictures] == [number / 10 for number in range(60, 100)]
    number = ring.key_before(NOON + timedelta(seconds=8.5))
    assert number is not None
    assert ring.read(number, at_most=1).pictures[0].time_s == 8.0


def test_before_all_there_is_the_first_key_picture_is_next_best() -> None:
    ring = filled(100, keys_every=10, hold_s=3)
    assert ring.key_before(NOON) == 60
    assert PacketRing().key_before(NOON) is None


def test_what_somebody_has_to_read_yet_stays_and_goes_once_it_is_read() -> None:
    ring = filled(20, keys_every=10, hold_s=1)
    ring.want_from(5)
    for number in range(20, 80):
        ring.put(picture(number / 10, is_key=number % 10 == 0))
    assert ring.read(5, at_most=10).n_missed == 0
    ring.want_from(70)
    ring.put(picture(8.0, is_key=True))
    assert held(ring)[0].time_s == 7.0


def test_a_reader_too_slow_is_told_how_much_it_missed() -> None:
    ring = filled(10, keys_every=10, hold_s=60, max_bytes=20 * (100 + 256))
    ring.want_from(0)
    for number in range(10, 40):
        ring.put(picture(number / 10, is_key=number % 10 == 0))
    stretch = ring.read(0, at_most=5)
    assert stretch.n_missed == 20
    assert stretch.pictures[0].time_s == 2.0
    assert stretch.pictures[0].is_key
    assert stretch.next_number == 25


def test_without_a_key_picture_in_reach_nothing_is_kept() -> None:
    ring = PacketRing(max_bytes=5 * (100 + 256))
    ring.hold(10)
    for number in range(50):
        ring.put(picture(number / 10, is_key=number == 0))
    assert held(ring) == []
    assert ring.n_bytes == 0
    ring.put(picture(6.0, is_key=True))
    assert len(held(ring)) == 1


def test_a_ring_that_holds_nothing_is_empty_at_once() -> None:
    ring = filled(50, keys_every=10, hold_s=5)
    ring.hold(0)
    ring.put(picture(9.0, is_key=True))
    assert ring.n_bytes == 0
    assert ring.newest_at is None
    assert ring.codec is None


def test_a_clock_that_was_set_back_a_day_does_not_fill_the_ring_for_a_day() -> None:
    ring = filled(100, keys_every=10, hold_s=3)
    for number in range(100):
        ring.put(picture(number / 10 - 86_400, is_key=number % 10 == 0))
    assert 30 <= len(held(ring)) <= 40


@given(
    sizes=st.lists(st.tuples(st.booleans(), st.integers(1, 900)), max_size=120),
    max_bytes=st.integers(1000, 8000),
    hold_s=st.sampled_from([0.5, 2.0, 100.0]),
)
def test_always_begins_at_a_key_picture_and_never_exceeds_its_bytes(
    sizes: list[tuple[bool, int]], max_bytes: int, hold_s: float
) -> None:
    ring = PacketRing(max_bytes=max_bytes)
    ring.hold(hold_s)
    for number, (is_key, n_bytes) in enumerate(sizes):
        ring.put(picture(number / 10, is_key=is_key, n_bytes=n_bytes))
        pictures = held(ring)
        assert ring.n_bytes <= max_bytes
        assert ring.n_bytes == sum(len(one.data) + 256 for one in pictures)
        if pictures:
            assert pictures[0].is_key
            assert pictures[-1].time_s == number / 10
            keys = [one.time_s for one in pictures[1:] if one.is_key]
            assert not keys or keys[0] > number / 10 - hold_s
