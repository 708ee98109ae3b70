"""Reasons read like English."""

import pytest

from processing.rules.words import Facts, count, duration, evidence, heading, many, subject, way


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], "something"),
        (["person"], "a person"),
        (["umbrella"], "an umbrella"),
        (["car", "person", "person"], "2 people and a car"),
        (["bus", "bus", "knife", "knife", "dog"], "2 buses, 2 knives and a dog"),
    ],
)
def test_a_subject_counts_who_is_there(names: list[str], expected: str) -> None:
    assert subject(count(names)) == expected


def test_a_headline_begins_with_a_capital() -> None:
    assert heading({"person": 1, "car": 1}) == "Person and car"
    assert heading({"person": 3}) == "3 people"


def test_plurals() -> None:
    assert [many(name) for name in ("key", "fly", "bench", "sheep", "car")] == [
        "keys", "flies", "benches", "sheep", "cars",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "0 s"),
        (0.44, "0.4 s"),
        (12.4, "12 s"),
        (119.0, "119 s"),
        (120.0, "2 min"),
        (185.0, "3 min 5 s"),
        (7200.0, "2 h"),
        (7860.0, "2 h 11 min"),
    ],
)
def test_durations_are_told_in_the_unit_that_fits(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


def test_evidence_names_a_few_tracks() -> None:
    assert evidence([7], 0.871) == "track 7, best score 0.87"
    assert evidence([1, 2], 0.5) == "tracks 1 and 2, best score 0.50"
    assert evidence(range(1, 9), 0.5).startswith("tracks 1, 2, 3, 4, 5 and 3 more, ")
    assert evidence([1861377715], 0.5) == "track 715, best score 0.50"
    assert evidence([], 0.5) == ""


def test_verbs_agree() -> None:
    def verb(n: int, *, is_over: bool) -> str:
        return Facts(who={"car": n}, seconds=1, is_over=is_over).verb(has="has been", was="was")

    assert [verb(1, is_over=False), verb(2, is_over=False)] == ["has been", "have been"]
    assert [verb(1, is_over=True), verb(2, is_over=True)] == ["was", "were"]


def test_angles_are_ways_in_the_picture() -> None:
    assert [way(degrees) for degrees in (0, 90, 180, 270, 350)] == [
        "right", "down", "left", "up", "right",
    ]  # fmt: skip
