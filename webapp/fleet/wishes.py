"""What people may want of a camera beyond its address: read from JSON, strictly, by field."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Struct

from processing.wire.camera import (
    ClipPolicy,
    MotionGate,
    OverflowPolicy,
    Privacy,
    Region,
    Schedule,
    Streams,
    Tiling,
)
from processing.wire.scene import Crossed, Line, Rule, Scene, Tampered, Zone
from webapp.fleet.sources import BadSource, check_source

T = TypeVar("T")

SMALLEST_REGION: Final = 0.05
"""Of a side of the picture; less is a slip of the hand."""


class Policies(Struct, frozen=True, kw_only=True):
    """How a camera is watched; what is absent has its default."""

    streams: Streams = Streams()
    region: Region = Region()
    tiling: Tiling = Tiling()
    schedule: Schedule = Schedule()
    gate: MotionGate = MotionGate()
    clips: ClipPolicy = ClipPolicy()
    privacy: Privacy = Privacy()
    overflow: OverflowPolicy = OverflowPolicy()


POLICIES: Final = tuple(field.name for field in msgspec.structs.fields(Policies))


class BadWish(ValueError):
    """No agent would accept this; `path` is the field, such as `zones.2.polygon`."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(why)
        self.path = path

    @property
    def words(self) -> str:
        """Return field and reason in one line."""
        return f"{self.path}: {self}" if self.path else str(self)

    def below(self, path: str) -> "BadWish":
        """Return the same as seen from further up."""
        return BadWish(".".join(filter(None, (path, self.path))), str(self))


def read_wish(kind: type[T], given: object) -> T:
    """Return `given` (what JSON becomes) as a `kind`; raise `BadWish`.

    Stricter than the wire, which skips what it does not know: a person's slip of the pen would
    otherwise be taken for a wish.
    """
    try:
        wish = msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        why, _, path = str(error).partition(" - at ")
        raise BadWish(_dotted(path), f"{why}.") from error
    taken = msgspec.to_builtins(wish)
    for path in _unknown(given, taken):
        raise BadWish(path, "There is no such setting.")
    _check_storable(taken)
    check_wish(wish)
    return wish


def check_wish(wish: object) -> None:
    """Raise `BadWish` for what has the right form and still makes no sense."""
    if check := _CHECKS.get(type(wish)):
        check(wish)
    if isinstance(wish, Struct):
        for name in wish.__struct_fields__:
            try:
                check_wish(getattr(wish, name))
            except BadWish as bad:
                raise bad.below(name) from None


def plain(wish: object) -> Any:
    """Return the wish as JSON has it, for a column of the database."""
    return msgspec.json.decode(msgspec.json.encode(wish))


def _check_streams(streams: Streams) -> None:
    if not streams.clip_source:
        return
    try:
        check_source(streams.clip_source)
    except BadSource as error:
        raise BadWish("clip_source", str(error)) from error


def _check_region(region: Region) -> None:
    for low, high in (("left", "right"), ("top", "bottom")):
        if getattr(region, high) - getattr(region, low) < SMALLEST_REGION:
            share = f"{SMALLEST_REGION:.0%}"
            raise BadWish(high, f"Must be beyond {low}, by at least {share} of the picture.")


def _check_schedule(schedule: Schedule) -> None:
    try:
        ZoneInfo(schedule.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadWish("time_zone", "Not a time zone such as Europe/Berlin.") from error
    for number, window in enumerate(schedule.windows):
        if window.from_minute == window.to_minute:
            raise BadWish(f"windows.{number}.to_minute", "The same as its beginning.")
        if len(set(window.days)) != len(window.days):
            raise BadWish(f"windows.{number}.days", "A day is named twice.")


def _check_clips(clips: ClipPolicy) -> None:
    if clips.longest_s < clips.before_s + clips.after_s:
        raise BadWish("longest_s", "Shorter than what is kept before and after together.")


def _check_scene(scene: Scene) -> None:
    zones = {zone.zone_id for zone in scene.zones}
    lines = {line.line_id for line in scene.lines}
    _check_once("zones", "zone_id", scene.zones)
    _check_once("lines", "line_id", scene.lines)
    _check_once("rules", "rule_id", scene.rules)
    for number, line in enumerate(scene.lines):
        if line.start == line.end:
            raise BadWish(f"lines.{number}.end", "Where it starts: a line needs a length.")
    for number, rule in enumerate(scene.rules):
        match rule.condition:
            case Tampered():
                pass
            case Crossed(line_id=line_id):
                if line_id not in lines:
                    raise BadWish(f"rules.{number}.condition.line_id", "Choose a line.")
            case condition:
                if condition.zone_id not in zones:
                    raise BadWish(f"rules.{number}.condition.zone_id", "Choose a zone.")


def _check_once(
    group: str, name: str, members: tuple[Zone, ...] | tuple[Line, ...] | tuple[Rule, ...]
) -> None:
    seen = set()
    for number, member in enumerate(members):
        key = getattr(member, name)
        if key in seen:
            raise BadWish(f"{group}.{number}.{name}", "The same as another's.")
        seen.add(key)


_CHECKS: Final[Mapping[type, Callable[[Any], None]]] = {
    Streams: _check_streams,
    Region: _check_region,
    Schedule: _check_schedule,
    ClipPolicy: _check_clips,
    Scene: _check_scene,
}


def _check_storable(taken: object, path: str = "") -> None:
    """Refuse what JSON can carry and a database cannot."""
    if isinstance(taken, float) and not math.isfinite(taken):
        raise BadWish(path, "Not a number.")
    if isinstance(taken, str) and not _is_text(taken):
        raise BadWish(path, "Holds characters that no text has.")
    for key, inner in _members(taken):
        _check_storable(inner, f"{path}.{key}" if path else str(key))


def _unknown(given: object, taken: object, path: str = "") -> Iterator[str]:
    """Yield the fields that were given and not taken."""
    known = dict(_members(taken))
    for key, inner in _members(given):
        here = f"{path}.{key}" if path else str(key)
        if key not in known:
            yield here
        else:
            yield from _unknown(inner, known[key], here)


def _members(value: object) -> Iterator[tuple[object, object]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)


def _is_text(value: str) -> bool:
    if "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _dotted(path: str) -> str:
    """Return msgspec's `$.zones[3].name` as `zones.3.name`."""
    return re.sub(r"\[(\d+)\]", r".\1", path.strip("`")).removeprefix("$").removeprefix(".")
