"""The scripted labeler does what it is said to do, the same on every run."""

from collections import Counter

from benchmarks.review_path.labeler import deeds
from benchmarks.review_path.pictures import made_pictures


def test_of_all_items_60_percent_are_accepted_and_30_percent_fixed() -> None:
    assert Counter(deeds(200)) == {"accept": 120, "fix": 60, "add": 10, "delete": 10}
    assert deeds(200) == deeds(200)


def test_pictures_are_the_same_on_every_run() -> None:
    (first,), (again,) = made_pictures(1), made_pictures(1)
    assert first == again
    assert 50_000 < len(first.jpeg) < 500_000
    assert 3 <= len(first.seen) <= 7
