"""Detections of one thing over time get one number; different things get different ones."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processing.tracking.bytetrack import Tracked, Tracker
from processing.tracking.ids import track_ids
from processing.vision.detections import Detections

START = datetime(2026, 11, 22, 12, tzinfo=UTC)


def detections(*found: tuple[float, float, float, int]) -> Detections:
    """Return 40 x 40 boxes around (x, y) with a score and a label."""
    rows = np.array(found, np.float32).reshape(-1, 4)
    boxes = np.hstack((rows[:, :2] - 20, rows[:, :2] + 20)).astype(np.float32)
    return Detections(boxes, rows[:, 2].copy(), rows[:, 3].astype(np.int32))


def run(frames: Iterable[Detections], *, every_s: float = 0.1) -> list[Tracked]:
    tracker = Tracker(track_ids(1))
    return [
        tracker.update(frame, START + timedelta(seconds=n * every_s))
        for n, frame in enumerate(frames)
    ]


def numbers(seen: list[Tracked], which: int = 0) -> list[int]:
    return [int(tracked.detections.tracks[which]) for tracked in seen]


def test_it_works() -> None:
    seen = run(detections((100 + 5 * n, 100, 0.9, 2)) for n in range(10))
    assert numbers(seen) == [0] + [1] * 9
    assert [list(tracked.started) for tracked in seen] == [[], [2]] + [[]] * 8


def test_a_thing_seen_once_is_no_track() -> None:
    seen = run([detections((100, 100, 0.9, 2)), detections(), detections((100, 100, 0.9, 2))])
    assert [int(n) for tracked in seen for n in tracked.detections.tracks] == [0, 0]


def test_a_track_goes_on_through_frames_without_it() -> None:
    frames = [detections((100 + 10 * n, 100, 0.9, 2)) for n in range(20)]
    for n in (8, 9, 10):
        frames[n] = detections()
    seen = run(frames)
    assert numbers(seen[1:8] + seen[11:]) == [1] * 16


def test_a_track_goes_on_with_doubtful_detections_but_none_begins_with_them() -> None:
    scores = [0.9, 0.9, 0.2, 0.15, 0.9]
    seen = run(detections((100 + 5 * n, 100, score, 2)) for n, score in enumerate(scores))
    assert numbers(seen) == [0, 1, 1, 1, 1]
    seen = run(detections((100, 100, 0.3, 2)) for _ in range(5))
    assert numbers(seen) == [0] * 5


def test_a_thing_gone_for_long_is_another_thing_when_it_comes_back() -> None:
    there = [detections((100, 100, 0.9, 2))] * 3
    seen = run([*there, *[detections()] * 30, *there])
    assert numbers(seen[:3] + seen[-3:]) == [0, 1, 1, 0, 2, 2]


def test_a_clock_that_went_back_begins_anew() -> None:
    tracker = Tracker(track_ids(1))
    frame = detections((100, 100, 0.9, 2))
    before = [tracker.update(frame, START + timedelta(seconds=n)) for n in range(3)]
    hour = timedelta(hours=1)
    after = [tracker.update(frame, START - hour + timedelta(seconds=n)) for n in range(3)]
    assert numbers(before + after) == [0, 1, 1, 0, 2, 2]


def test_classes_do_not_mix() -> None:
    seen = run(detections((100, 100, 0.9, n % 2), (102, 100, 0.8, (n + 1) % 2)) for n in range(6))
    for tracked in seen[1:]:
        of_label = dict(
            zip(tracked.detections.labels.tolist(), tracked.detections.tracks.tolist(), strict=True)
        )
        assert len(set(of_label.values())) == 2
    assert {tuple(sorted(tracked.detections.tracks.tolist())) for tracked in seen[1:]} == {(1, 2)}


def test_two_things_that_pass_each_other_keep_their_numbers() -> None:
    seen = run(
        detections((100 + 12 * n, 100, 0.9, 0), (340 - 12 * n, 130, 0.9, 0)) for n in range(20)
    )
    assert {tuple(tracked.detections.tracks.tolist()) for tracked in seen[1:]} == {(1, 2)}


def test_detections_keep_their_order() -> None:
    frame = detections((300, 100, 0.9, 0), (100, 100, 0.5, 1), (200, 200, 0.2, 2))
    [_, tracked] = run([frame, frame])
    np.testing.assert_array_equal(tracked.detections.xyxy, frame.xyxy)
    np.testing.assert_array_equal(tracked.detections.scores, frame.scores)


def test_numbers_go_round_and_leave_out_0() -> None:
    assert list(islice(track_ids(2**32 - 2), 4)) == [2**32 - 2, 2**32 - 1, 1, 2]
    assert list(islice(track_ids(0), 2)) == [1, 2]


def test_every_start_of_the_program_begins_elsewhere() -> None:
    assert len({next(track_ids()) for _ in range(20)}) > 1


frames = st.lists(
    st.lists(
        st.tuples(
            st.floats(0, 400), st.floats(0, 400), st.floats(0, 1, width=32), st.integers(0, 2)
        ),
        max_size=12,
    ),
    max_size=12,
)


@given(frames)
def test_whatever_is_seen_a_number_is_one_thing_of_one_class(
    seen: list[list[tuple[float, float, float, int]]],
) -> None:
    label_of: dict[int, int] = {}
    n_started = 0
    for tracked in run(detections(*found) for found in seen):
        found = tracked.detections
        numbered = found.tracks[found.tracks != 0].tolist()
        assert len(set(numbered)) == len(numbered)
        n_started += len(tracked.started)
        for number, label in zip(found.tracks.tolist(), found.labels.tolist(), strict=True):
            if number:
                assert label_of.setdefault(number, label) == label
    assert n_started == len(label_of)


def test_what_crosses_keeps_its_numbers_though_one_hides_the_other() -> None:
    frames = []
    for n in range(24):
        left, right = (100 + 10 * n, 100, 0.9, 0), (330 - 10 * n, 108, 0.9, 0)
        frames.append(detections(left) if 10 <= n <= 13 else detections(left, right))
    seen = run(frames)
    assert numbers(seen[1:10]) == numbers(seen[14:])[:9] == [1] * 9
    assert numbers(seen[14:], 1) == [2] * 10


def test_frames_that_were_not_looked_at_are_nobodys_absence() -> None:
    tracker = Tracker(track_ids(1))
    frame = detections((100, 100, 0.9, 2))
    times = [0.0, 0.2, 0.4, 5.4, 10.4, 15.4]
    seen = [tracker.update(frame, START + timedelta(seconds=after_s)) for after_s in times]
    assert numbers(seen) == [0] + [1] * 5


def test_a_clock_that_is_put_right_by_a_little_changes_nothing() -> None:
    tracker = Tracker(track_ids(1))
    times = [0.0, 0.1, 0.2, 0.15, 0.18, 0.3, 0.4]
    seen = [
        tracker.update(detections((100 + 3 * n, 100, 0.9, 2)), START + timedelta(seconds=after_s))
        for n, after_s in enumerate(times)
    ]
    assert numbers(seen) == [0] + [1] * 6


def test_a_pause_of_a_day_begins_anew() -> None:
    tracker = Tracker(track_ids(1))
    frame = detections((100, 100, 0.9, 2))
    days = [timedelta(), timedelta(seconds=0.1), timedelta(days=1), timedelta(days=1, seconds=0.1)]
    assert numbers([tracker.update(frame, START + later) for later in days]) == [0, 1, 0, 2]


def test_a_box_that_is_no_number_is_nobodys() -> None:
    good = detections((100, 100, 0.9, 2), (300, 100, 0.9, 2))
    bad = detections((100, 100, 0.9, 2), (float("nan"), 100, 0.9, 2))
    seen = run([good, good, bad, good])
    assert numbers(seen) == [0, 1, 1, 1]
    assert numbers(seen, 1) == [0, 2, 0, 2]
