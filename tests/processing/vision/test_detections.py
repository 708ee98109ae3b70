"""Detections are arrays of one length that are picked together."""

import numpy as np
import pytest

from processing.vision.detections import Detections
from processing.vision.frame import Planes


def three() -> Detections:
    return Detections(
        np.arange(12, dtype=np.float32).reshape(3, 4),
        np.array([0.9, 0.5, 0.1], np.float32),
        np.array([2, 0, 1], np.int32),
    )


def test_it_works() -> None:
    kept = three()[three().scores > 0.3]
    assert len(kept) == 2
    assert kept.labels.tolist() == [2, 0]
    assert kept.tracks.tolist() == [0, 0]


def test_slices_and_indices_pick_too() -> None:
    assert three()[1:].labels.tolist() == [0, 1]
    assert three()[np.array([2, 0])].labels.tolist() == [1, 2]


def test_tracks_are_given_without_touching_the_rest() -> None:
    found = three()
    tracked = found.with_tracks(np.array([7, 8, 9]))
    assert tracked.tracks.tolist() == [7, 8, 9]
    assert found.tracks.tolist() == [0, 0, 0]


def test_empty_is_empty() -> None:
    assert len(Detections.empty()) == 0
    assert len(Detections.empty()[np.empty(0, bool)]) == 0


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        Detections(np.zeros((2, 4), np.float32), np.zeros(3, np.float32), np.zeros(2, np.int32))
    with pytest.raises(ValueError, match="different lengths"):
        three().with_tracks(np.array([1]))


def test_chroma_that_does_not_fit_is_refused() -> None:
    luma = np.zeros((5, 7), np.uint8)
    Planes(luma, np.zeros((3, 4), np.uint8), np.zeros((3, 4), np.uint8))
    with pytest.raises(ValueError, match="do not fit"):
        Planes(luma, np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.uint8))
