"""A smaller form of a network passes only if it is nearly as accurate."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.evaluation.accuracy import Accuracy
from processing.evaluation.gate import MAX_LOSS, LosesTooMuch, first_accurate

shares = st.floats(0.0, 1.0)


def of(share: float) -> Accuracy:
    return Accuracy(map_50_95=share, map_50=share, n_images=10)


def test_it_works() -> None:
    forms = [("plain", of(0.061)), ("careful", of(0.355))]
    assert first_accurate(of(0.357), forms) == ("careful", of(0.355))


def test_the_second_form_is_not_made_when_the_first_passes() -> None:
    def forms() -> Iterator[tuple[str, Accuracy]]:
        yield "plain", of(0.30)
        pytest.fail("made for nothing")

    assert first_accurate(of(0.305), forms())[0] == "plain"


def test_what_each_form_loses_is_said() -> None:
    forms = [("plain", of(0.061)), ("careful", of(0.34))]
    with pytest.raises(LosesTooMuch) as refusal:
        first_accurate(of(0.357), forms)
    assert str(refusal.value) == (
        "plain loses 29.6 points of 35.7; careful loses 1.7 points of 35.7; at most 1.0 are allowed"
    )


@pytest.mark.parametrize(("full", "small"), [(0.3, float("nan")), (float("nan"), 0.3)])
def test_what_was_not_measured_has_not_passed(full: float, small: float) -> None:
    with pytest.raises(LosesTooMuch):
        first_accurate(of(full), [("plain", of(small))])


@given(shares, st.lists(shares, max_size=4))
def test_it_is_the_first_that_loses_little_enough(full: float, small: list[float]) -> None:
    forms = [(str(index), of(share)) for index, share in enumerate(small)]
    wanted = [form for form, accuracy in forms if full - accuracy.map_50_95 <= MAX_LOSS]
    if wanted:
        assert first_accurate(of(full), forms)[0] == wanted[0]
    else:
        with pytest.raises(LosesTooMuch):
            first_accurate(of(full), forms)
