"""Writes to the fleet: enrolment, cameras, connections, reports."""

from webapp.fleet.actions.cameras import (
    CameraFields,
    CameraInUse,
    DrawingChanged,
    NotAllowed,
    TooManyCameras,
    add_camera,
    remove_camera,
    save_drawing,
    update_camera,
)
from webapp.fleet.actions.connections import (
    Opening,
    close_sessions,
    close_silent_sessions,
    hold_agents,
    open_sessions,
    record_slowed,
)
from webapp.fleet.actions.enrolment import (
    BadSignature,
    EnrolmentRefused,
    JoinTokenExpired,
    JoinTokenUnknown,
    JoinTokenUsed,
    KeyRefused,
    create_join_token,
    enrol_agent,
    revoke_agent,
)
from webapp.fleet.actions.reports import (
    Reported,
    know_bundle,
    record_bundle,
    record_reports,
)

__all__ = [
    "BadSignature",
    "CameraFields",
    "CameraInUse",
    "DrawingChanged",
    "EnrolmentRefused",
    "JoinTokenExpired",
    "JoinTokenUnknown",
    "JoinTokenUsed",
    "KeyRefused",
    "NotAllowed",
    "Opening",
    "Reported",
    "TooManyCameras",
    "add_camera",
    "close_sessions",
    "close_silent_sessions",
    "create_join_token",
    "enrol_agent",
    "hold_agents",
    "know_bundle",
    "open_sessions",
    "record_bundle",
    "record_reports",
    "record_slowed",
    "remove_camera",
    "revoke_agent",
    "save_drawing",
    "update_camera",
]
