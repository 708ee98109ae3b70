"""Shares are kept, askers stay where they are, and only those move that must."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.tier.contract import ServedVersion
from processing.tier.serving.routing import choose_version

N = 6000


def chosen(*versions: ServedVersion, model: str = "m", n: int = N) -> list[str]:
    """Return who judges each of `n` cameras."""
    found = [choose_version(model, f"camera {number}", versions) for number in range(n)]
    return [version.digest if version is not None else "" for version in found]


def version(digest: str, weight: float, *, is_shadow: bool = False) -> ServedVersion:
    return ServedVersion(digest=digest, weight=weight, is_shadow=is_shadow)


def test_it_works() -> None:
    assert set(chosen(version("a", 1.0), n=10)) == {"a"}


@pytest.mark.parametrize("weights", [(1.0, 1.0), (9.0, 1.0), (0.05, 0.95), (1.0, 2.0, 5.0)])
def test_each_takes_its_share(weights: tuple[float, ...]) -> None:
    versions = [version(str(number), weight) for number, weight in enumerate(weights)]
    counts = Counter(chosen(*versions))
    for each in versions:
        assert counts[each.digest] / N == pytest.approx(each.weight / sum(weights), abs=0.02)


def test_one_asker_stays_whatever_order_they_are_in() -> None:
    a, b, c = version("a", 1.0), version("b", 2.0), version("c", 3.0)
    assert chosen(a, b, c) == chosen(c, a, b)


def test_when_a_weight_rises_only_its_new_share_moves() -> None:
    before = chosen(version("old", 0.9), version("new", 0.1))
    after = chosen(version("old", 0.8), version("new", 0.2))
    moves = Counter(pair for pair in zip(before, after, strict=True) if pair[0] != pair[1])
    assert set(moves) == {("old", "new")}
    assert moves["old", "new"] / N == pytest.approx(0.1, abs=0.015)


@given(st.lists(st.floats(0.01, 100.0), min_size=2, max_size=5), st.floats(0.01, 100.0), st.data())
def test_nothing_moves_between_two_others(
    weights: list[float], weight: float, data: st.DataObject
) -> None:
    changed = data.draw(st.integers(0, len(weights) - 1))
    before = chosen(*(version(str(n), each) for n, each in enumerate(weights)), n=200)
    weights[changed] = weight
    after = chosen(*(version(str(n), each) for n, each in enumerate(weights)), n=200)
    for one, other in zip(before, after, strict=True):
        assert one == other or str(changed) in (one, other)


def test_a_version_that_goes_leaves_the_others_as_they_are() -> None:
    a, b, c = version("a", 1.0), version("b", 1.0), version("c", 1.0)
    for before, after in zip(chosen(a, b, c), chosen(a, b), strict=True):
        assert before in (after, "c")


def test_models_are_drawn_apart() -> None:
    a, b = version("a", 1.0), version("b", 1.0)
    same = sum(
        one == other for one, other in zip(chosen(a, b), chosen(a, b, model="other"), strict=True)
    )
    assert same / N == pytest.approx(0.5, abs=0.03)


def test_shadows_and_versions_of_no_weight_take_nothing() -> None:
    shadow, none = version("shadow", 5.0, is_shadow=True), version("none", 0.0)
    assert set(chosen(version("a", 0.1), shadow, none, n=200)) == {"a"}
    assert choose_version("m", "x", [shadow, none]) is None
    assert choose_version("m", "x", []) is None
