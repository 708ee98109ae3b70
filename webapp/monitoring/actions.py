"""Telling people of pictures that are not as they should be: each trouble begins once, and ends."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from webapp.events.actions.lasting import begin_event, end_event, keep_event
from webapp.events.models import Event
from webapp.fleet.models import Camera
from webapp.monitoring.judging import JUDGED, Trouble, Usual, better_now, first_trouble, still_wrong
from webapp.monitoring.kinds import KINDS, WORDS, Kind
from webapp.monitoring.models import Feature
from webapp.monitoring.recent import MIN_FRAMES, Shown, shown_by, usual_for

UNSEEN: Final = timedelta(minutes=30)
"""A trouble of a camera of which nothing is seen for so long is over as far as anybody knows."""
_KEPT_EVERY: Final = timedelta(minutes=10)
_AT_ONCE: Final = 500
"""Cameras that are judged together."""
_RULE: Final = "tampered"
"""The kind of event that a person's own rule raises; it is told once, not twice."""
_TAMPERED: Final[dict[str, Trouble]] = {
    "frozen picture": Trouble("picture_frozen", "The same picture comes again and again."),
    "covered": Trouble("picture_covered", "All at once hardly anything is left to be seen."),
    "moved": Trouble("picture_moved", "It shows something else than before."),
    "defocused": Trouble("picture_defocused", "All at once its edges are soft."),
}
"""What an agent says of a camera, see `processing.pipeline.tampering`."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One camera, with all that it is judged by."""

    camera: Camera
    is_online: bool
    shown: Shown | None
    usual: Mapping[Feature, Usual]
    running: Mapping[str, Event]
    """What is wrong with it as far as people know, by kind."""

    @property
    def tampered(self) -> Trouble | None:
        """Return what its agent says that somebody has done to it."""
        word = (self.camera.image or {}).get("tampered", "") if self.is_online else ""
        return _TAMPERED.get(str(word))


def judge_pictures(*, at: datetime) -> Iterator[int]:
    """Begin and end events about the pictures of all cameras; yield how many are judged so far."""
    cameras = Camera.objects.select_related("agent").order_by("pk")
    n_judged, after = 0, None
    while True:
        rows = cameras.filter(pk__gt=after) if after else cameras
        group = list(rows[:_AT_ONCE])
        if not group:
            return
        for seen in _look_at(group, at=at):
            _end_what_is_over(seen, at=at)
            _begin_what_is_wrong(seen, at=at)
        n_judged, after = n_judged + len(group), group[-1].pk
        yield n_judged


def _look_at(cameras: Iterable[Camera], *, at: datetime) -> Iterator[_Seen]:
    by_id = {camera.pk: camera for camera in cameras}
    shown = shown_by(by_id, at=at)
    usual = usual_for(shown, at=at)
    running: dict[object, dict[str, Event]] = defaultdict(dict)
    for event in Event.objects.filter(
        camera__in=by_id, state=Event.State.RUNNING, kind__in=(*KINDS, _RULE)
    ):
        running[event.camera_id][event.kind] = event
    for camera_id, camera in by_id.items():
        yield _Seen(
            camera=camera,
            is_online=camera.agent.is_online(at=at) and camera.state == Camera.State.ONLINE,
            shown=shown.get(camera_id),
            usual=usual.get(camera_id, {}),
            running=running[camera_id],
        )


def _end_what_is_over(seen: _Seen, *, at: datetime) -> None:
    for kind, event in seen.running.items():
        if kind == _RULE:
            continue
        if (why := _why_over(seen, cast("Kind", kind), event, at=at)) is not None:
            end_event(event, detail=why, at=at)
        elif _is_seen(seen, cast("Kind", kind)) and at - _heard_at(event) >= _KEPT_EVERY:
            keep_event(event, at=at)


def _why_over(seen: _Seen, kind: Kind, event: Event, *, at: datetime) -> str | None:
    if not seen.camera.is_enabled:
        return "The camera is switched off."
    if not _is_seen(seen, kind):
        is_lost = at - _heard_at(event) >= UNSEEN
        return "Nothing has been seen of it for long; nobody knows." if is_lost else None
    if kind in JUDGED:
        assert seen.shown is not None
        is_wrong = still_wrong(kind, seen.shown.latest, seen.usual)
        return None if is_wrong else better_now(kind, seen.shown.latest)
    told = seen.tampered
    return None if told is not None and told.kind == kind else "It is as it was again."


def _is_seen(seen: _Seen, kind: Kind) -> bool:
    """Return whether there is anything by which a running trouble can be judged now."""
    if kind in JUDGED:
        return seen.shown is not None and bool(seen.shown.latest)
    return seen.is_online and seen.camera.image is not None


def _heard_at(event: Event) -> datetime:
    return event.spoken_at or event.occurred_at


def _begin_what_is_wrong(seen: _Seen, *, at: datetime) -> None:
    """Begin one event: the cause of all that is wrong, unless people know of one."""
    trouble = seen.tampered or _first_trouble(seen)
    if trouble is None or seen.running or not seen.camera.is_enabled:
        return
    begin_event(
        seen.camera,
        kind=trouble.kind,
        title=f"{seen.camera.name}: {WORDS[trouble.kind].lower()}",
        detail=trouble.reason,
        severity=Event.Severity.WARNING,
        at=at,
    )


def _first_trouble(seen: _Seen) -> Trouble | None:
    shown = seen.shown
    if shown is None or not shown.latest or shown.n_frames < MIN_FRAMES:
        return None
    return first_trouble(shown.recent, shown.latest, seen.usual)
