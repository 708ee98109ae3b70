"""Which box is which of another's: one to one, by overlap. Pure functions."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import inf
from typing import NamedTuple

from webapp.review.boxes import Box, PredictedBox, Xyxy

AnyBox = Box | PredictedBox


class Match(NamedTuple):
    """The same thing, by its index in either."""

    ours: int
    theirs: int
    iou: float


def overlap(a: Xyxy, b: Xyxy) -> float:
    """Return the intersection over the union, 0..1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def match_boxes(
    ours: Sequence[AnyBox], theirs: Sequence[AnyBox], *, iou: float, is_class_told: bool = True
) -> list[Match]:
    """Return the one-to-one matching whose overlaps, each at least `iou`, add up to the most.

    With `is_class_told` only boxes of one class match.
    """
    found = {
        (i, j): shared
        for i, our in enumerate(ours)
        for j, their in enumerate(theirs)
        if (not is_class_told or our.label == their.label)
        and (shared := overlap(our.xyxy, their.xyxy)) >= iou
    }
    matches: list[Match] = []
    for rows, columns in _islands(found):
        gains = [[found.get((i, j), 0.0) for j in columns] for i in rows]
        for row, column in _assign(gains):
            i, j = rows[row], columns[column]
            if (i, j) in found:
                matches.append(Match(i, j, found[i, j]))
    return sorted(matches)


def _islands(pairs: dict[tuple[int, int], float]) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the boxes of either side that hang together by `pairs`: most are one and one."""
    of_row, of_column = defaultdict(list), defaultdict(list)
    for i, j in pairs:
        of_row[i].append(j)
        of_column[j].append(i)
    while of_row:
        rows, columns, reached = [], set[int](), [next(iter(of_row))]
        while reached:
            i = reached.pop()
            if i not in of_row:
                continue
            rows.append(i)
            for j in of_row.pop(i):
                columns.add(j)
                reached.extend(of_column.pop(j, ()))
        yield rows, sorted(columns)


def _assign(gains: Sequence[Sequence[float]]) -> Iterator[tuple[int, int]]:
    """Yield (row, column) of the assignment that gains most: shortest augmenting paths.

    The Hungarian method as Jonker and Volgenant run it; row and column 0 stand for "none".
    """
    if len(gains) > len(gains[0]):
        yield from ((row, column) for column, row in _assign([*zip(*gains, strict=True)]))
        return
    n_rows, n_columns = len(gains), len(gains[0])
    of_row, of_column = [0.0] * (n_rows + 1), [0.0] * (n_columns + 1)  # the prices
    holder = [0] * (n_columns + 1)
    for row in range(1, n_rows + 1):
        holder[0] = row
        column, before = _nearest_free(gains, of_row, of_column, holder)
        while column:
            holder[column], column = holder[before[column]], before[column]
    for column in range(1, n_columns + 1):
        if holder[column]:
            yield holder[column] - 1, column - 1


def _nearest_free(
    gains: Sequence[Sequence[float]], of_row: list[float], of_column: list[float], holder: list[int]
) -> tuple[int, list[int]]:
    """Return the free column that is cheapest to come to from column 0, and the way back to it.

    Prices move on by what the way cost.
    """
    least, before = [inf] * len(holder), [0] * len(holder)
    beyond = set(range(1, len(holder)))
    column, passed = 0, [0]
    while holder[column]:
        row = holder[column]
        gain, price = gains[row - 1], of_row[row]
        for other in beyond:
            slack = -gain[other - 1] - price - of_column[other]
            if slack < least[other]:
                least[other], before[other] = slack, column
        column = min(beyond, key=least.__getitem__)
        step = least[column]
        for other in passed:
            of_row[holder[other]] += step
            of_column[other] -= step
        for other in beyond:
            least[other] -= step
        beyond.discard(column)
        passed.append(column)
    return column, before
