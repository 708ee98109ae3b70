"""Writes of events: what the hub notices, agents say and people do; their pictures and clips."""

from webapp.events.actions.clips import (
    ClipIsHere,
    ClipUnknown,
    NotAnMp4,
    ask_for_clips,
    lose_clip,
    take_clip,
)
from webapp.events.actions.deeds import (
    MAX_AT_ONCE,
    BadComment,
    TooManyComments,
    acknowledge,
    comment,
    set_false_alarm,
    take_back_acknowledgement,
    unset_false_alarm,
)
from webapp.events.actions.noting import Noticed, note_event, note_events
from webapp.events.actions.raising import EventLane, Raised, record_raised
from webapp.events.actions.thumbnails import Pictured, record_thumbnails

__all__ = (
    "MAX_AT_ONCE",
    "BadComment",
    "ClipIsHere",
    "ClipUnknown",
    "EventLane",
    "NotAnMp4",
    "Noticed",
    "Pictured",
    "Raised",
    "TooManyComments",
    "acknowledge",
    "ask_for_clips",
    "comment",
    "lose_clip",
    "note_event",
    "note_events",
    "record_raised",
    "record_thumbnails",
    "set_false_alarm",
    "take_back_acknowledgement",
    "take_clip",
    "unset_false_alarm",
)
