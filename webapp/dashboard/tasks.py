"""What rules would have told of the last hour: stored results, judged again. For workers alone."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Final, TypeAlias
from uuid import UUID, uuid4

from processing.pipeline.to_wire import unpack_detections
from processing.rules.happening import Happening
from processing.rules.rulebook import Rulebook
from processing.wire.scene import Scene, Tampered
from webapp.dashboard.scene_preview import LOOKED_BACK, MAX_EVENTS, MAX_RESULTS, PREVIEW
from webapp.fleet.models import Bundle, Camera
from webapp.fleet.wishes import BadWish, read_wish
from webapp.jobs.attempts import Attempt
from webapp.jobs.interruptions import CannotBeDone
from webapp.jobs.registry import does
from webapp.results.models import Result

STEP: Final = 500
"""Results between two looks at whether to go on."""
_USUAL_SIZE: Final = (1280, 720)

Seen: TypeAlias = tuple[datetime, UUID, bytes | memoryview]
"""When, by which bundle, and what: packed detections."""


@dataclass(slots=True)
class Told:
    """The events that would have been, in order of their beginning."""

    n_of_rule: dict[UUID, int] = field(default_factory=dict)
    events: dict[UUID, dict[str, object]] = field(default_factory=dict)

    def hear(self, words: Iterable[Happening]) -> None:
        for word in words:
            is_new = word.phase in {"once", "start"}
            if is_new:
                rule_id = word.rule.rule_id
                self.n_of_rule[rule_id] = self.n_of_rule.get(rule_id, 0) + 1
                if len(self.events) < MAX_EVENTS:
                    self.events[word.event_id] = {
                        "rule": str(rule_id),
                        "at": word.started_at.isoformat(),
                        "until": None,
                    }
            if (event := self.events.get(word.event_id)) is not None:
                event |= {"title": word.title, "detail": word.detail}
                if word.phase in {"once", "end"}:
                    event["until"] = word.at.isoformat()


@does(PREVIEW)
def preview_scene(attempt: Attempt) -> None:
    """Judge the camera's results of the last hour by the rules of a draft."""
    camera = Camera.objects.filter(
        pk=str(attempt.arguments["camera"]), organization=attempt.organization
    ).first()
    if camera is None:
        raise CannotBeDone("The camera is not there any more.")
    try:
        scene = read_wish(Scene, attempt.arguments["scene"])
    except BadWish as bad:
        raise CannotBeDone(str(bad)) from bad
    until = attempt.clock()
    since = until - LOOKED_BACK
    newest = Result.objects.filter(camera=camera, captured_at__range=(since, until))
    rows: list[Seen] = list(
        newest.order_by("-captured_at").values_list("captured_at", "bundle_id", "detections")[
            : MAX_RESULTS + 1
        ]
    )[::-1]
    is_cut = len(rows) > MAX_RESULTS
    told = _judge(attempt, camera, scene, rows[-MAX_RESULTS:])
    with attempt.finishing() as result:
        result["since"] = (rows[1][0] if is_cut else since).isoformat()
        result["until"] = until.isoformat()
        result["n_results"] = min(len(rows), MAX_RESULTS)
        result["is_cut"] = is_cut
        result["counts"] = {str(rule_id): n for rule_id, n in told.n_of_rule.items()}
        result["events"] = list(told.events.values())
        result["blind"] = [
            str(rule.rule_id) for rule in scene.rules if isinstance(rule.condition, Tampered)
        ]


def _judge(attempt: Attempt, camera: Camera, scene: Scene, rows: list[Seen]) -> Told:
    """Return what the rules say of these results; a new bundle goes on where another was."""
    told, n_done = Told(), 0
    width, height = (camera.width, camera.height) if camera.width else _USUAL_SIZE
    book = Rulebook(scene, labels=(), camera_name=camera.name, new_id=uuid4)
    attempt.step(0, len(rows))
    for bundle_id, seen in groupby(rows, key=lambda row: row[1]):
        labels = tuple(str(label) for label in Bundle.objects.get(pk=bundle_id).labels)
        told.hear(book.tune(scene, labels=labels, camera_name=camera.name))
        for at, _, packed in seen:
            if n_done % STEP == 0:
                attempt.step(n_done, len(rows))
            n_done += 1
            found = unpack_detections(bytes(packed), width=width, height=height)
            told.hear(book.look(found, width=width, height=height, at=at, tampered=None))
    attempt.step(n_done, len(rows))
    return told
