"""Which picture of an archive is meant: by what lies beside it, or by a name in a document."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Final

from processing.exchange.labelled import BadSet

_KINDS: Final = frozenset({"images", "labels", "jpegimages", "annotations"})
"""Folders that say what is in them; a picture and what is said of it differ by these alone."""
_MOST_SHOWN: Final = 80


def paired(pictures: Collection[str], files: Collection[str]) -> dict[str, str]:
    """Return the file of each picture that has one; raise `BadSet` where it may be another's.

    Both lie in the same folders, but for those that say what is in them. Only in an archive where
    no file does, a name without its folders is enough.
    """
    return _matched(pictures, files, _place) or _matched(pictures, files, _stem)


def n_stray(files: Iterable[str], found: Mapping[str, str]) -> int:
    """Return how many files in folders of labels belong to no picture."""
    used = set(found.values())
    return sum(file not in used and _has_kind(file) for file in files)


class Pictures:
    """The pictures of an archive, to be found by what a document in it calls them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_name: dict[str, list[str]] = {}
        for name in names:
            self._by_name.setdefault(PurePosixPath(name).name, []).append(name)

    def find(self, told: str, *, document: str) -> str:
        """Return the one that `document` calls `told`; raise `BadSet` if that is none or several.

        Told are paths from the archive, from the document's folder, or from where its format keeps
        pictures; or any that end so.
        """
        same = self._by_name.get(PurePosixPath(told).name, [])
        if not same:
            raise BadSet(f"{document} speaks of {_shown(told)}, which is not in the archive")
        for guess in _guesses(told, PurePosixPath(document)):
            if guess in same:
                return guess
        near = [name for name in same if name.endswith(f"/{told}")] or same
        if len(near) > 1:
            raise BadSet(
                f"{document} speaks of {_shown(told)}, which may be {near[0]} or {near[1]}"
            )
        return near[0]


def _guesses(told: str, document: PurePosixPath) -> list[str]:
    subset = document.stem.removeprefix("instances_")
    base = document.parent.parent
    places = [document.parent, base / "images" / subset, base / subset, base / "images"]
    return [told, *(str(place / told) for place in places)]


def _matched(
    pictures: Iterable[str], files: Iterable[str], key_of: Callable[[str], Hashable]
) -> dict[str, str]:
    near: dict[Hashable, list[str]] = {}
    for picture in pictures:
        near.setdefault(key_of(picture), []).append(picture)
    found: dict[str, str] = {}
    for file in files:
        own = near.get(key_of(file), [])
        if len(own) > 1:
            raise BadSet(f"{file} may be of {own[0]} or of {own[1]}")
        for picture in own:
            if picture in found:
                raise BadSet(f"{found[picture]} and {file} both may be of {picture}")
            found[picture] = file
    return found


def _place(name: str) -> Hashable:
    path = PurePosixPath(name)
    return (*(part for part in path.parts[:-1] if part.lower() not in _KINDS), path.stem)


def _stem(name: str) -> Hashable:
    return PurePosixPath(name).stem


def _has_kind(name: str) -> bool:
    return any(part.lower() in _KINDS for part in PurePosixPath(name).parts[:-1])


def _shown(name: str) -> str:
    return f"“{name[:_MOST_SHOWN]}”"
