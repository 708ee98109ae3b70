"""Lets a smaller form of a network pass only if it is nearly as accurate as the network."""

from collections.abc import Iterable
from typing import Final, TypeVar

from processing.evaluation.accuracy import Accuracy

MAX_LOSS: Final = 0.01
"""One point of mAP."""

_Form = TypeVar("_Form")


class LosesTooMuch(Exception):
    """None of the forms is accurate enough; the text says how much each of them loses."""


def first_accurate(
    source: Accuracy, forms: Iterable[tuple[_Form, Accuracy]], *, max_loss: float = MAX_LOSS
) -> tuple[_Form, Accuracy]:
    """Return the first form that loses at most `max_loss` of the source's mAP, 0..1.

    `forms` are asked for one by one, so that none is made once one has passed. Raise
    `LosesTooMuch`, also where accuracy is not a number: what was not measured has not passed.
    """
    losses = []
    for form, accuracy in forms:
        loss = source.map_50_95 - accuracy.map_50_95
        if loss <= max_loss:
            return form, accuracy
        losses.append(f"{form} loses {_points(loss)} points of {_points(source.map_50_95)}")
    raise LosesTooMuch(f"{'; '.join(losses)}; at most {_points(max_loss)} are allowed")


def _points(share: float) -> str:
    return f"{100 * share:.1f}"
