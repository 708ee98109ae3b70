"""Reasons in plain English: who, how many, how long, where to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_MANY: Final = {
    "person": "people", "man": "men", "woman": "women", "child": "children", "sheep": "sheep",
    "mouse": "mice", "knife": "knives", "scissors": "scissors", "skis": "skis", "fish": "fish",
    "deer": "deer",
}  # fmt: skip
_HISSES: Final = ("s", "x", "z", "sh", "ch")
_NAMED: Final = 5
"""More tracks than this are counted, not named."""
_TRACK_SHOWN: Final = 1000
"""Tracks are named by their last three digits, as over the live picture (static/js/boxes.js)."""
_SHORT_S: Final = 10.0
"""Below this, tenths of a second are told."""
_FEW: Final = 2
"""Of minutes or hours; so many are still told in the smaller unit."""
_MINUTE: Final = 60
_WAYS: Final = (
    "right", "down and right", "down", "down and left", "left", "up and left", "up", "up and right",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an event is about, for whoever puts it in words."""

    who: Mapping[str, int]
    """Classes, and how many of each."""
    seconds: float
    """How long it has been so, or had been when it was over."""
    is_over: bool

    @property
    def n(self) -> int:
        """Return how many things are in it."""
        return sum(self.who.values())

    def verb(self, *, has: str, was: str) -> str:
        """Return the right form: "has been" while it goes on, "was" when it is over."""
        if self.is_over:
            return was if self.n <= 1 else {"was": "were"}.get(was, was)
        return has if self.n <= 1 else has.replace("has", "have", 1)


def count(names: Sequence[str]) -> dict[str, int]:
    """Return how many there are of each name, most first, then by name."""
    return dict(sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0])))


def subject(who: Mapping[str, int]) -> str:
    """Return "a person", "2 people and a car"; "something" for nobody."""
    return _listed([_some(name, n) for name, n in who.items()]) or "something"


def heading(who: Mapping[str, int]) -> str:
    """Return the subject as titles begin: "Person", "2 people and car"."""
    parts = [name if n == 1 else f"{n} {many(name)}" for name, n in who.items()]
    return capitalized(_listed(parts) or "something")


def capitalized(text: str) -> str:
    """Return the text with a capital at its beginning, the rest as it is."""
    return text[:1].upper() + text[1:]


def many(name: str) -> str:
    """Return the plural of a class's name."""
    known = _MANY.get(name)
    if known:
        return known
    if name.endswith(_HISSES):
        return f"{name}es"
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}s"


def duration(seconds: float) -> str:
    """Return "0.4 s", "12 s", "3 min 5 s", "2 h 10 min"."""
    if seconds < _SHORT_S:
        return f"{round(seconds, 1):g} s"
    whole = round(seconds)
    if whole < _FEW * _MINUTE:
        return f"{whole} s"
    minutes, rest = divmod(whole, _MINUTE)
    if minutes < _FEW * _MINUTE:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def evidence(tracks: Sequence[int], score: float) -> str:
    """Return what the reason rests on: "track 7, best score 0.87"; nothing without tracks."""
    if not tracks:
        return ""
    named = [str(track % _TRACK_SHOWN) for track in tracks[:_NAMED]]
    n_more = len(tracks) - len(named)
    listed = _listed([*named, f"{n_more} more"] if n_more else named)
    return f"track{'s' if len(tracks) > 1 else ''} {listed}, best score {score:.2f}"


def way(degrees: float) -> str:
    """Return where an angle points in a picture: 0 is right, 90 is down."""
    return _WAYS[round(degrees / 45.0) % len(_WAYS)]


def _some(name: str, n: int) -> str:
    if n != 1:
        return f"{n} {many(name)}"
    return f"{'an' if name[:1].lower() in set('aeiou') else 'a'} {name}"


def _listed(parts: Sequence[str]) -> str:
    if len(parts) <= 1:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
