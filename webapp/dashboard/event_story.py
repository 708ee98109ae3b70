"""How an event went: what its agent said of it and what people did about it, newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from webapp.accounts.models import User
from webapp.dashboard.event_filter import RULE_KINDS
from webapp.dashboard.event_standing import event_standing
from webapp.events.models import Deed, Event, Word
from webapp.monitoring.kinds import WORDS

MAX_ENTRIES: Final = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was said or done."""

    at: datetime
    kind: str
    """A `Word.Phase` or a `Deed.Kind`."""
    title: str
    text: str
    by: str = ""
    """Who did it; empty for what the agent said."""


def story_context(shown: Event, *, at: datetime) -> dict[str, object]:
    """Return what the part with an event's facts and story shows."""
    entries = sorted(
        (*_words_of(shown), *_deeds_of(shown)), key=lambda entry: entry.at, reverse=True
    )
    return {
        "event": shown,
        "standing": event_standing(shown, at=at),
        "entries": entries[:MAX_ENTRIES],
        "has_more": len(entries) > MAX_ENTRIES,
        "rule": _rule_name(shown),
        "kind": (RULE_KINDS | WORDS).get(shown.kind, ""),
    }


def name_of(user: User | None) -> str:
    return (user.get_full_name() or user.get_username()) if user else "somebody who left"


def _words_of(shown: Event) -> list[Entry]:
    newest = Word.objects.filter(event=shown).order_by("-said_at", "-id")[: MAX_ENTRIES + 1]
    return [
        Entry(word.said_at, word.phase, word.get_phase_display(), word.detail or word.title)
        for word in newest
    ]


def _deeds_of(shown: Event) -> list[Entry]:
    newest = Deed.objects.filter(event=shown).select_related("by").order_by("-done_at", "-id")
    return [
        Entry(deed.done_at, deed.kind, deed.get_kind_display(), deed.text, name_of(deed.by))
        for deed in newest[: MAX_ENTRIES + 1]
    ]


def _rule_name(shown: Event) -> str:
    """Return what the rule is called that raised it; empty where it is gone, or there was none."""
    if shown.rule_id is None or shown.camera is None:
        return ""
    try:
        rules = shown.camera.desired().scene.rules
    except msgspec.ValidationError:
        return ""  # the camera's settings are odd: its page says so, an event's need not
    return next((rule.name for rule in rules if rule.rule_id == shown.rule_id), "")
