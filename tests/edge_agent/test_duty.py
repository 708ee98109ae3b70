"""Every frame has one judge, which stays open until it has answered."""

import threading

from edge_agent.duty import Duty, Network
from processing.inference.fake import FakeEngine


def network(name: str) -> Network:
    return Network(FakeEngine(device=name), name.encode(), ("thing",))


def test_it_works() -> None:
    old, new = network("old"), network("new")
    duty = Duty(old)
    assert duty.begin() is old
    assert duty.hand_over(new) is old
    assert duty.network is new
    assert duty.begin() is new
    assert not duty.wait_ended(old, timeout_s=0.01)
    duty.end(old)
    assert duty.wait_ended(old, timeout_s=0.01)
    assert not duty.wait_ended(new, timeout_s=0.01)


def test_who_waits_hears_of_the_end() -> None:
    old = network("old")
    duty = Duty(old)
    duty.begin()
    duty.begin()
    duty.hand_over(network("new"))
    ending = [threading.Timer(0.02, duty.end, (old,)) for _ in range(2)]
    for timer in ending:
        timer.start()
    assert duty.wait_ended(old, timeout_s=20)
    for timer in ending:
        timer.join()


def test_two_openings_of_one_bundle_are_two_networks() -> None:
    first, second = network("same"), network("same")
    duty = Duty(first)
    duty.begin()
    duty.hand_over(second)
    assert duty.wait_ended(second, timeout_s=0.01)
    assert not duty.wait_ended(first, timeout_s=0.01)
