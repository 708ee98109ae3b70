"""Keys are valid, differ, and sort in the order in which they were made."""

import time
from uuid import RFC_4122

from webapp.common.ids import uuid7


def test_it_works() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_those_of_one_millisecond_sort_as_they_were_made() -> None:
    for _ in range(200):
        first = uuid7()
        begun = time.time_ns()
        while time.time_ns() < begun + 500:  # more than a key tells apart
            pass
        assert first < uuid7()
