"""All rules of one camera: what they have to say of each frame."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from processing.rules.conditions.left_behind import PERSON
from processing.rules.conditions.registry import lasting_for, momentary_for, place_of
from processing.rules.entering import Entered, Entering
from processing.rules.event_life import EventLife, MomentLife
from processing.rules.happening import Glimpse, Happening
from processing.rules.peaks import Peaks
from processing.rules.sight import Sight
from processing.vision.detections import Detections
from processing.wire.scene import LeftBehind, Line, Rule, Scene, Tampered, Zone

_BACK: Final = timedelta(seconds=2)
"""Clocks are corrected by less than this; one that goes back further tells of another time."""
_APART: Final = timedelta(seconds=60)
"""What was so before a longer pause says nothing of what is so after it."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A rule, what it is about, and where it stands."""

    rule: Rule
    place: Zone | Line | None
    camera_name: str
    """Empty where nobody is told of it."""
    wanted: NDArray[np.bool_]
    """(n,) which of the bundle's labels the rule asks for."""
    life: EventLife | MomentLife

    def says_the_same_as(self, other: "_Page") -> bool:
        """Return whether an event of the one is an event of the other."""
        mine = (self.rule, self.place, self.camera_name)
        return mine == (other.rule, other.place, other.camera_name)


class Rulebook:
    """The rules of one camera and their running events.

    Call everything from one thread, and `look` once a frame, in order of time. Rules that ask for
    a zone or line that is not there, or only for classes that the bundle does not know, are never
    true.
    """

    def __init__(
        self,
        scene: Scene,
        *,
        labels: tuple[str, ...],
        camera_name: str,
        new_id: Callable[[], UUID],
    ) -> None:
        self._new_id = new_id
        self._pages: list[_Page] = []
        self._last_at: datetime | None = None
        self._peaks = Peaks()
        self._entering = Entering()
        self._entered: Entered = {}
        self._glimpses: tuple[Glimpse, ...] = ()
        self.tune(scene, labels=labels, camera_name=camera_name)

    def tune(self, scene: Scene, *, labels: tuple[str, ...], camera_name: str) -> list[Happening]:
        """Go on with these rules; return the ends of events whose rule or zone is not the same.

        A rule that has not changed keeps its running event, and what it knows of its tracks.
        """
        self._labels = labels
        self._camera_name = camera_name
        self._zones = {zone.zone_id: np.array(zone.polygon, np.float64) for zone in scene.zones}
        before = {page.rule.rule_id: page for page in self._pages}
        self._pages = []
        for rule in scene.rules:
            page = self._open(rule, scene)
            old = before.get(rule.rule_id)
            if page and old and page.says_the_same_as(old):
                del before[rule.rule_id]
                page = replace(page, life=old.life)
            if page:
                self._pages.append(page)
        return [word for page in before.values() for word in page.life.end()]

    def look(
        self,
        tracked: Detections,
        *,
        width: int,
        height: int,
        at: datetime,
        tampered: str | None,
        confident: float = 0.0,
    ) -> list[Happening]:
        """Return what there is to say of the frame taken at `at`: `width` x `height` pixels.

        `tampered` says what is wrong with the picture. No event begins with things alone that
        never scored `confident` or more while they were tracked. A pause of a minute, or a clock
        that goes back, ends what runs when it was last so; then everything begins anew.
        """
        told, at = self._keep_time(at)
        sight = Sight.of(
            tracked,
            size=(width, height),
            at=at,
            names=self._labels,
            zones=self._zones,
            tampered=tampered,
            peaks=self._peaks,
            confident=confident,
        )
        self._entered = self._entering.look(sight)
        glimpses = []
        for page in self._pages:
            said = page.life.look(sight, page.wanted.take(sight.labels))
            told.extend(said.happenings)
            if said.glimpse:
                glimpses.append(said.glimpse)
        self._glimpses = tuple(glimpses)
        return told

    @property
    def entered(self) -> Entered:
        """Return what came into zones with the frame looked at last."""
        return self._entered

    @property
    def glimpses(self) -> tuple[Glimpse, ...]:
        """Return the running events that the frame looked at last shows better than any before."""
        return self._glimpses

    def end_all(self, at: datetime) -> list[Happening]:
        """End what runs, because the camera is not watched any more from `at` on."""
        return self._restart(at)

    def _keep_time(self, at: datetime) -> tuple[list[Happening], datetime]:
        """Return what ends because time is out of joint, and the instant to take this frame for."""
        told: list[Happening] = []
        last_at = self._last_at
        if last_at is not None and last_at - _BACK <= at < last_at:
            at = last_at
        elif last_at is not None and not last_at <= at <= last_at + _APART:
            told = self._restart()
        self._last_at = at
        return told, at

    def _restart(self, at: datetime | None = None) -> list[Happening]:
        self._glimpses = ()
        self._peaks = Peaks()
        self._entering = Entering()
        told = [word for page in self._pages for word in page.life.end(at)]
        for page in self._pages:
            page.life.forget()
        return told

    def _open(self, rule: Rule, scene: Scene) -> _Page | None:
        life = self._life(rule, scene)
        if life is None:
            return None
        return _Page(
            rule=rule,
            place=place_of(rule.condition, scene),
            camera_name=self._camera_name if isinstance(rule.condition, Tampered) else "",
            wanted=self._wanted(rule),
            life=life,
        )

    def _life(self, rule: Rule, scene: Scene) -> EventLife | MomentLife | None:
        moment = momentary_for(rule.condition, scene)
        if moment is not None:
            return MomentLife(rule, moment, new_id=self._new_id)
        lasting = lasting_for(rule.condition, scene, camera_name=self._camera_name)
        if lasting is not None:
            return EventLife(rule, lasting, new_id=self._new_id)
        return None

    def _wanted(self, rule: Rule) -> NDArray[np.bool_]:
        if rule.labels:
            return np.array([name in rule.labels for name in self._labels], np.bool_)
        is_any = not isinstance(rule.condition, LeftBehind)
        return np.array([is_any or name != PERSON for name in self._labels], np.bool_)
