"""Cameras that have to encode take turns, in the order in which they came."""

import threading

import pytest

from edge_agent.clips.studio import Turns
from tests.edge_agent.entries import wait_until


def test_who_has_waited_longest_is_next() -> None:
    turns, served = Turns(), list[int]()

    def work(number: int) -> None:
        with turns:
            served.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    with turns:
        for n_waiting, thread in enumerate(threads, 2):
            thread.start()
            wait_until(lambda n=n_waiting: len(turns._line) == n)  # type: ignore[misc]
        assert served == []
    for thread in threads:
        thread.join()
    assert served == list(range(5))


def test_a_failure_gives_the_turn_away() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns:
        _ = 1 / 0
    with turns:
        assert len(turns._line) == 1
