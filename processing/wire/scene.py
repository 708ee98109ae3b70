"""What a camera looks at, and what a person wants to be told of it: zones, lines and rules."""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct

from processing.wire import limits
from processing.wire.fields import Labels, Name, Point, Polygon, Seconds


class Zone(Struct, frozen=True, kw_only=True):
    """A part of the picture. A thing is in it when the foot of its box is."""

    zone_id: UUID
    name: Name
    polygon: Polygon


class Line(Struct, frozen=True, kw_only=True):
    """A line that things cross; forward is from its left to its right, seen from its start."""

    line_id: UUID
    name: Name
    start: Point
    end: Point


class InZone(Struct, frozen=True, kw_only=True, tag_field="when", tag="in_zone"):
    """Something is in a zone, and stays."""

    zone_id: UUID
    after_s: Seconds = 0.0
    """How long it has to be there before anybody is told."""


class Crossed(Struct, frozen=True, kw_only=True, tag_field="when", tag="crossed"):
    """Something crosses a line; one crossing is one event, over at once."""

    line_id: UUID
    direction: Literal["forward", "backward", "either"] = "either"


class Crowded(Struct, frozen=True, kw_only=True, tag_field="when", tag="crowded"):
    """At least so many are in a zone at once."""

    zone_id: UUID
    at_least: Annotated[int, Meta(ge=1, le=1000)]
    after_s: Seconds = 2.0


class Heading(Struct, frozen=True, kw_only=True, tag_field="when", tag="heading"):
    """Something in a zone moves in a direction: the wrong way down a street, say."""

    zone_id: UUID
    degrees: Annotated[float, Meta(ge=0.0, lt=360.0)]
    """0 is right, 90 is down, as pictures have it."""
    within_degrees: Annotated[float, Meta(gt=0.0, le=180.0)] = 45.0
    after_s: Seconds = 1.0


class LeftBehind(Struct, frozen=True, kw_only=True, tag_field="when", tag="left_behind"):
    """Something lies still in a zone with nobody near it."""

    zone_id: UUID
    after_s: Seconds = 30.0


class Tampered(Struct, frozen=True, kw_only=True, tag_field="when", tag="tampered"):
    """Somebody has been at the camera: the picture itself is wrong."""

    after_s: Seconds = 5.0


Condition: TypeAlias = InZone | Crossed | Crowded | Heading | LeftBehind | Tampered


class Rule(Struct, frozen=True, kw_only=True):
    """When to tell a person what."""

    rule_id: UUID
    name: Name
    condition: Condition
    labels: Labels = ()
    """Only these classes; empty for all. Nothing to a rule about the camera itself."""
    severity: Literal["info", "warning", "error"] = "warning"
    quiet_s: Seconds = 0.0
    """After an event, how long the rule raises no other."""


Zones = Annotated[tuple[Zone, ...], Meta(max_length=limits.MAX_ZONES)]
Lines = Annotated[tuple[Line, ...], Meta(max_length=limits.MAX_ZONES)]
Rules = Annotated[tuple[Rule, ...], Meta(max_length=limits.MAX_RULES)]


class Scene(Struct, frozen=True, kw_only=True):
    """All of it for one camera. A rule whose zone or line is not there is never true."""

    zones: Zones = ()
    lines: Lines = ()
    rules: Rules = ()
