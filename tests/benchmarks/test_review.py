"""The scripted labeler does what it is said to do, the same on every run."""

from collections import Counter

import pytest

from benchmarks.review import figures
from benchmarks.review_path.labeler import Worked, deeds
from benchmarks.review_path.pictures import made_pictures


def test_of_all_items_60_percent_are_accepted_and_30_percent_fixed() -> None:
    assert Counter(deeds(200)) == {"accept": 120, "fix": 60, "add": 10, "delete": 10}
    assert deeds(200) == deeds(200)


def test_pictures_are_the_same_on_every_run() -> None:
    (first,), (again,) = made_pictures(1), made_pictures(1)
    assert first == again
    assert 50_000 < len(first.jpeg) < 500_000
    assert 3 <= len(first.seen) <= 7


def test_turns_of_work_are_counted_together() -> None:
    both = Worked((100.0, 110.0), n_keys=3, n_presses=1) + Worked((120.0,), n_keys=3)
    assert both == Worked((100.0, 110.0, 120.0), n_keys=6, n_presses=1)
    assert figures(both) == {
        "submit_to_ready_p50_ms": 110,
        "submit_to_ready_p95_ms": pytest.approx(119),
        "keys_per_item": 2,
        "clicks_per_item": pytest.approx(1 / 3),
    }


def test_beside_a_peer_a_ratio_above_one_says_that_the_peer_is_slower() -> None:
    found = figures(Worked((100.0,), n_keys=2), Worked((400.0,), n_keys=1, n_presses=1))
    assert found["over_label_studio_p95_ratio"] == 4
    assert found["over_label_studio_p50_ratio"] == 4
    assert found["label_studio_submit_to_ready_p95_ms"] == 400
    assert found["label_studio_keys_per_item"] == found["label_studio_clicks_per_item"] == 1
